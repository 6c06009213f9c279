#!/usr/bin/env bash
# TraceMeanField_ELBO ignores a scale on a model's latent site.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. `poutine.scale(scale=0.5)` around the prior alone is how one
# weighs it. Trace_ELBO prints 1.58 and TraceMeanField_ELBO 2.35 for the same pair: the latter takes the
# KL divergence as a whole and scales it by the *guide's* scale. A weight has to stand in both programs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro import poutine
from pyro.infer import Trace_ELBO, TraceMeanField_ELBO


def model():
    with poutine.scale(scale=0.5):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
    pyro.sample("x", dist.Normal(z, 1.0), obs=torch.tensor(2.0))


def guide():
    pyro.sample("z", dist.Normal(torch.tensor(1.0), 0.5))


pyro.set_rng_seed(0)
sampled, closed = (
    sum(elbo.loss(model, guide) for _ in range(4000)) / 4000
    for elbo in (Trace_ELBO(), TraceMeanField_ELBO())
)
print(f"Trace_ELBO {sampled:.2f}, TraceMeanField_ELBO {closed:.2f}")
assert closed - sampled > 0.5, "both scale alike now"
PY
