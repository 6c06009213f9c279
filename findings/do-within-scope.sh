#!/usr/bin/env bash
# poutine.do around a program with a scope records the site with its prefix twice: b/b/z.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. The intervention on "b/z" takes effect, but the trace lists
# "b/b/z", because the handler samples the site again inside the scope. poutine.condition by that name
# leaves "b/z". Who looks a site up by its name after an intervention does not find it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro import poutine
from pyro.contrib.autoname import scope


def model():
    with scope(prefix="b"):
        return pyro.sample("z", dist.Normal(0.0, 1.0))


def sites(changed):
    nodes = poutine.trace(changed).get_trace().nodes
    return [name for name, node in nodes.items() if node["type"] == "sample"]


fixed = {"b/z": torch.tensor(3.0)}
done, conditioned = sites(poutine.do(model, fixed)), sites(poutine.condition(model, fixed))
print(f"do: {done}, condition: {conditioned}")
assert conditioned == ["b/z"]
assert poutine.do(model, fixed)() == 3.0
assert done == ["b/b/z"], "the prefix is there once now"
PY
