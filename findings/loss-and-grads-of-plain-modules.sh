#!/usr/bin/env bash
# ELBO.loss_and_grads leaves no gradient on plain modules: without a pyro.param it never goes back.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. A model whose parameter is an nn.Parameter of a plain
# nn.Module gives a loss, no error, and a gradient of None. The same call after
# pyro.module("model", model) leaves one. Who calls loss_and_grads and then torch's own optimiser
# trains nothing; calling the ELBO's module form, elbo(model, guide)(), and backward() does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro.infer import Trace_ELBO
from torch import nn


class Model(nn.Module):
    def __init__(self, registered):
        super().__init__()
        self.loc = nn.Parameter(torch.tensor(2.0))
        self.registered = registered

    def forward(self):
        if self.registered:
            pyro.module("model", self)
        pyro.sample("x", dist.Normal(self.loc, 1.0), obs=torch.tensor(0.0))


def guide():
    pass


def gradient(registered):
    pyro.clear_param_store()
    model = Model(registered)
    loss = Trace_ELBO().loss_and_grads(model, guide)
    return round(loss, 4), model.loc.grad


plain, registered = gradient(False), gradient(True)
print(f"plain module: {plain}, with pyro.module: {registered}")
assert plain[0] == registered[0]
assert registered[1] is not None
assert plain[1] is None, "a plain module has a gradient now"
PY
