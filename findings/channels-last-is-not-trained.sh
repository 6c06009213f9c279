#!/usr/bin/env bash
# pyro.module trains a copy of a parameter that is not contiguous, as channels-last weights are.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. The store keeps weight.contiguous(), which is another tensor
# where the weight lies channels-last. So SVI moves the store's copy, the module computes with its own,
# and ten steps leave the convolution where it was; its bias, which is contiguous, moves.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro.infer import SVI, Trace_ELBO
from torch import nn


def moved(layout):
    pyro.clear_param_store()
    pyro.set_rng_seed(0)
    network = nn.Conv2d(2, 1, 2).to(memory_format=layout)
    images = torch.randn(8, 2, 4, 4)

    def model():
        pyro.module("network", network)
        pyro.sample("x", dist.Normal(network(images), 1.0).to_event(4), obs=torch.ones(8, 1, 3, 3))

    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    svi = SVI(model, lambda: None, pyro.optim.Adam({"lr": 0.1}), Trace_ELBO())
    for _ in range(10):
        svi.step()
    return {name: not value.equal(before[name]) for name, value in network.named_parameters()}


usual, last = moved(torch.contiguous_format), moved(torch.channels_last)
print(f"moved by SVI: contiguous {usual}, channels-last {last}")
assert usual == {"weight": True, "bias": True}
assert last == {"weight": False, "bias": True}, "channels-last weights are trained now"
PY
