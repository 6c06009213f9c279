#!/usr/bin/env bash
# TraceEnum_ELBO sums 2 of 2^L settings where a site outside the plate sees all labels; it only warns.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. Three labels lie in a plate and x depends on their sum. Labels of
# one plate share an enumeration dimension, so only "all 0" and "all 1" are summed. The exact loss is
# 6.98; the one that is printed is 7.74, with a warning of a "possibly invalid dependency".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import itertools
import pyro, torch
import pyro.distributions as dist
from pyro.infer import TraceEnum_ELBO, config_enumerate

x, p = torch.tensor(4.0), torch.tensor([0.3, 0.5, 0.6])


@config_enumerate
def model():
    with pyro.plate("labels", 3, dim=-1):
        y = pyro.sample("y", dist.Bernoulli(p))
    pyro.sample("x", dist.Normal(y.sum(-1), 0.5), obs=x)


total = torch.stack(
    [
        dist.Bernoulli(p).log_prob(torch.tensor(y)).sum()
        + dist.Normal(sum(y), 0.5).log_prob(x)
        for y in itertools.product((0.0, 1.0), repeat=3)
    ]
)
exact = -total.logsumexp(0).item()
try:
    found = TraceEnum_ELBO(max_plate_nesting=1).loss(model, lambda: None)
except ValueError as error:
    found = float("nan")
    print("refused:", str(error).splitlines()[0])
print(f"exact {exact:.2f}, TraceEnum_ELBO {found:.2f}")
assert abs(found - exact) > 0.1, "all settings are summed now"
PY
