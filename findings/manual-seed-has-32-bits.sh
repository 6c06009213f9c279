#!/usr/bin/env bash
# torch.manual_seed takes 64 bits and a CPU generator uses 32: seeds that differ above are the same.
#
# Seen with torch 2.13.0. manual_seed(s) and manual_seed(s + 2**32) draw the same numbers, and
# initial_seed() says the two different seeds back. Who packs two numbers into one seed, an epoch above
# and a step below, gives every epoch the noise of the first. A numpy generator tells such seeds apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PY'
import numpy, torch


def drawn(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, generator=generator), generator.initial_seed()


(low, said), (high, said_high) = drawn(5), drawn(5 + 2**32)
print("torch, seed 5:        ", low.tolist(), said)
print("torch, seed 5 + 2**32:", high.tolist(), said_high)
first, second = (numpy.random.default_rng(s).normal(size=4) for s in (5, 5 + 2**32))
print("numpy tells them apart:", bool((first != second).all()))
assert said != said_high
assert torch.equal(low, high), "seeds that differ above 32 bits draw differently now"
assert (first != second).all()
PY
