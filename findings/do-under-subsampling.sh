#!/usr/bin/env bash
# poutine.do under a subsampled plate squares the plate's scale.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. In a plate of 10 rows of which 2 are shown every site has scale 5.
# After `poutine.do` on z the fresh site that takes its place has 25: the plate's handler has been applied
# once to the site that is cut out and once to the one put in.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro import poutine


def model():
    with pyro.plate("rows", 10, subsample_size=2):
        pyro.sample("z", dist.Normal(0.0, 1.0))


plain = poutine.trace(model).get_trace().nodes["z"]["scale"]
done = poutine.trace(poutine.do(model, data={"z": torch.ones(2)})).get_trace().nodes["z"]["scale"]
print(f"scale of z: {plain:g}, under do: {done:g}")
assert (plain, done) == (5, 25)
PY
