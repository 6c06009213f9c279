#!/usr/bin/env bash
# pyro.plate_stack names its plates from the right: grid_0 has the last size.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. `plate_stack("grid", (2, 3))` makes a plate grid_0 of size 3 at dimension
# -1 and grid_1 of size 2 at dimension -2. Who reads plates by their number reads rows as columns.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro
import pyro.distributions as dist
from pyro import poutine


def model():
    with pyro.plate_stack("grid", (2, 3)):
        pyro.sample("z", dist.Normal(0.0, 1.0))


frames = poutine.trace(model).get_trace().nodes["z"]["cond_indep_stack"]
sizes = {frame.name: frame.size for frame in frames}
print(sizes)
assert sizes == {"grid_0": 3, "grid_1": 2}
PY
