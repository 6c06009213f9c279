#!/usr/bin/env bash
# A second PyroModule in one process is not trained: the store still holds the first one's weights.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. Two modules of one class, each with an SVI of its own, as a
# notebook's cell that is run twice makes them. The first learns; of the second nothing moves, its loss
# stays where it began, and no warning comes. Pyro's parameter store knows parameters by name, keeps
# the first module's, and hands those to the second's optimiser. pyro.clear_param_store() before the
# second one trains it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro.infer import SVI, Trace_ELBO
from pyro.nn import PyroModule

inputs = torch.linspace(-1.0, 1.0, 20).unsqueeze(-1)


class Line(PyroModule):
    def __init__(self):
        super().__init__()
        self.slope = PyroModule[torch.nn.Linear](1, 1)

    def forward(self):
        pyro.sample("y", dist.Normal(self.slope(inputs), 1.0).to_event(2), obs=3.0 * inputs)


def guide():
    pass


def trained():
    torch.manual_seed(0)
    line = Line()
    before = line.slope.weight.item()
    svi = SVI(line, guide, pyro.optim.Adam({"lr": 0.1}), Trace_ELBO())
    losses = [svi.step() for _ in range(50)]
    return line.slope.weight.item() - before, losses[0] - losses[-1]


pyro.clear_param_store()
first, second = trained(), trained()
pyro.clear_param_store()
third = trained()
for name, (moved, gained) in (("first", first), ("second", second), ("store cleared", third)):
    print(f"{name}: weight moved by {moved:.2f}, loss fell by {gained:.1f}")
assert abs(first[0]) > 1.0 and first[1] > 5.0
assert second == (0.0, 0.0), "a second module is trained now"
assert third == first
PY
