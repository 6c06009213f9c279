#!/usr/bin/env bash
# torch.where with two Python numbers rounds them to the default dtype, whatever it is added to.
#
# Seen with torch 2.13.0. `torch.where(mask, 0.1, 0.2)` is float32, and `.double()` afterwards keeps its rounding:
# a prior p(y) written so is off by 3e-9 in a float64 identity. With a tensor for one of the two it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0"
"$folder/venv/bin/python" -W ignore - <<'PY'
import torch

mask = torch.tensor([True, False])
rounded = torch.where(mask, 0.1, 0.2).double()
exact = torch.where(mask, torch.tensor(0.1, dtype=torch.float64), 0.2)
off = (rounded - exact).abs().max().item()
print(f"two numbers {rounded.tolist()}, one of them a tensor {exact.tolist()}: off by {off:.1e}")
assert torch.where(mask, 0.1, 0.2).dtype == torch.float32 and exact.dtype == torch.float64
assert 1e-9 < off < 1e-8
PY
