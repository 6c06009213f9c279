#!/usr/bin/env bash
# Normal.cdf and torch.special.ndtr are 0 below -5.5 in float32, with no gradient; log_ndtr is not.
#
# Seen with torch 2.13.0. A normal deviate of -6 has probability 9.87e-10, which float32 can hold. Both
# functions return 0 there, and the gradient of their logarithm is not finite. `log_ndtr` is right and
# has a finite gradient: a probit link has to be written with it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0"
"$folder/venv/bin/python" -W ignore - <<'PY'
import torch
from torch.distributions import Normal

z = torch.tensor(-6.0, requires_grad=True)
cdf, ndtr = Normal(0.0, 1.0).cdf(z), torch.special.ndtr(z)
exact = torch.special.ndtr(z.double()).item()
right = torch.special.log_ndtr(z).exp().item()
(bad,) = torch.autograd.grad(ndtr.log(), z)
(good,) = torch.autograd.grad(torch.special.log_ndtr(z), z)
print(f"exact {exact:.3e}, cdf {cdf:.3e}, ndtr {ndtr:.3e}, exp(log_ndtr) {right:.3e}")
print(f"gradients of the logarithm: ndtr {bad:.3f}, log_ndtr {good:.3f}")
assert cdf == ndtr == 0 and abs(right / exact - 1) < 1e-4
assert not bad.isfinite() and good.isfinite()
PY
