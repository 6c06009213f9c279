#!/usr/bin/env bash
# AutoNormal gives obs_mask's filled-in half a density that nothing masks: the loss falls without end.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. `obs_mask` splits a site y into y_observed and y_unobserved, and
# the model masks the latter to the entries that are missing. AutoNormal has a latent for *all* entries
# of y_unobserved and no mask in the guide, so the entropy of those entries that are observed counts in
# the bound with no density against it. The exact -log p is 2.90; the loss goes to -5.9 and on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro.infer import SVI, Trace_ELBO
from pyro.infer.autoguide import AutoNormal

y = torch.tensor([0.0, 1.0, 0.0, 0.0])
known = torch.tensor([True, True, False, False])


def model():
    loc = pyro.sample("loc", dist.Normal(0.0, 1.0))
    with pyro.plate("data", 4):
        pyro.sample("y", dist.Normal(loc, 1.0), obs=y, obs_mask=known)


pyro.set_rng_seed(0)
covariance = torch.eye(2) + 1
exact = -dist.MultivariateNormal(torch.zeros(2), covariance).log_prob(y[known]).item()
svi = SVI(model, AutoNormal(model), pyro.optim.Adam({"lr": 0.05}), Trace_ELBO())
losses = [svi.step() for _ in range(1500)]
last = sum(losses[-100:]) / 100
print(f"-log p(y_observed) = {exact:.2f}, loss of the last 100 steps = {last:.2f}")
assert last < exact - 3, "the guide's density is masked now"
PY
