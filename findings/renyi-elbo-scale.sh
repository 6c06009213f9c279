#!/usr/bin/env bash
# RenyiELBO under subsampling is no bound: the plate's scale stands inside its log-sum-exp.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. One row of 20 is shown (scale 20). The exact value is
# -20 log p(x) = 45.31. With alpha = 0 and many particles the importance-weighted bound should come
# down to it from above. It prints about 39.9: the scale multiplies each particle's log-weight before
# they are averaged, so log mean(w^20) is reported, which lies on the wrong side of the evidence.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro.infer import RenyiELBO

rows = torch.tensor([0])


def model():
    with pyro.plate("data", 20, subsample=rows):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(z, 1.0), obs=torch.tensor([2.0]))


def guide():
    with pyro.plate("data", 20, subsample=rows):
        pyro.sample("z", dist.Normal(torch.tensor(1.0), 1.0))


pyro.set_rng_seed(0)
exact = -20 * dist.Normal(0.0, 2**0.5).log_prob(torch.tensor(2.0)).item()
elbo = RenyiELBO(alpha=0.0, num_particles=1000, vectorize_particles=True, max_plate_nesting=1)
found = sum(elbo.loss(model, guide) for _ in range(20)) / 20
print(f"-N log p(x) = {exact:.2f}, RenyiELBO's loss = {found:.2f}")
assert found < exact - 3, "the scale no longer stands inside"
PY
