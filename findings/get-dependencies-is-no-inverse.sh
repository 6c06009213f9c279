#!/usr/bin/env bash
# get_dependencies is a sparsity pattern, not what a sequential guide needs, though it cites its inverse.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. The docstring cites Webb et al. (2018), whose inverse adds edges between
# parents that are eliminated together. For b <- a -> c, with data on b and c, a guide in the order c, b, a
# needs c -> b, for a ties them. The posterior dependences have none between b and c.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro.infer.inspect import get_dependencies


def model(x, y):
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    b = pyro.sample("b", dist.Normal(a, 1.0))
    c = pyro.sample("c", dist.Normal(a, 1.0))
    pyro.sample("x", dist.Normal(b, 1.0), obs=x)
    pyro.sample("y", dist.Normal(c, 1.0), obs=y)


found = get_dependencies(model, (torch.tensor(0.0), torch.tensor(0.0)))["posterior_dependencies"]
between = {(child, parent) for child, parents in found.items() for parent in parents if child != parent}
print(sorted(between))
assert not {("b", "c"), ("c", "b")} & between and {("b", "a"), ("a", "b")} & between
PY
