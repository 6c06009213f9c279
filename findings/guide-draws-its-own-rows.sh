#!/usr/bin/env bash
# A guide that draws its own minibatch is replayed against another minibatch of the model.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0 (as in pyro issue 3468). The model takes `subsample=rows`, an
# AutoNormal of it opens the plate without them. What the guide drew for rows of its own choice is then
# used, by position, for the rows that the model was given; shapes fit, nothing warns.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro import poutine
from pyro.infer.autoguide import AutoNormal

rows = torch.arange(40, 50)


def model(x):
    with pyro.plate("data", 50, subsample=rows):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(z, 1.0), obs=x)


pyro.set_rng_seed(0)
x, guide = torch.randn(10), AutoNormal(model)
guide(x)
drawn = poutine.trace(guide).get_trace(x)
replayed = poutine.trace(poutine.replay(model, trace=drawn)).get_trace(x)
used = replayed.nodes["data"]["value"]
print(f"the model was given rows {rows.tolist()}, its replay uses {used.tolist()}")
assert not torch.equal(used, rows), "the guide keeps the model's rows now"
PY
