#!/usr/bin/env bash
# In a plate without a size, a latent without a shape is one number shared by all rows.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. `pyro.plate("data")` says that rows are independent, and does not
# expand what is sampled in it. z is a scalar, x has five rows: one z for all of them, its prior counted
# once, with no warning. With `pyro.plate("data", 5)` there are five.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro import poutine


def model(x, *size):
    with pyro.plate("data", *size):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(z, 1.0), obs=x)


x = torch.zeros(5)
shared = poutine.trace(model).get_trace(x).nodes["z"]["value"].shape
own = poutine.trace(model).get_trace(x, 5).nodes["z"]["value"].shape
print(f"z in a plate without a size {tuple(shared)}, with one {tuple(own)}")
assert (tuple(shared), tuple(own)) == ((), (5,))
PY
