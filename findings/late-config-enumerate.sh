#!/usr/bin/env bash
# config_enumerate around a guide that is already under poutine.enum samples instead of summing.
#
# Seen with pyro-ppl 1.9.2, torch 2.13.0. `poutine.enum(config_enumerate(guide))` enumerates;
# `config_enumerate(poutine.enum(guide))` looks the same, runs without a word, and draws one value: the
# handler that reads the mark is entered before the mark is made.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "pyro-ppl==1.9.2"
"$folder/venv/bin/python" -W ignore - <<'PY'
import pyro, torch
import pyro.distributions as dist
from pyro import poutine
from pyro.infer import config_enumerate


def guide():
    return pyro.sample("y", dist.Bernoulli(0.5))


right = poutine.enum(config_enumerate(guide, default="parallel"), first_available_dim=-1)
late = config_enumerate(poutine.enum(guide, first_available_dim=-1), default="parallel")
shapes = tuple(right().shape), tuple(late().shape)
print(f"enumerated: {shapes[0]}, with the two the other way round: {shapes[1]}")
assert shapes == ((2,), ())
PY
