"""The programs under ChiRho's interventions and counterfactual worlds, where it is installed."""

import pytest
import torch
from pyro import poutine

from ccvae.config import Config
from ccvae.data.spec import load
from ccvae.inference.catalogue import build_pair
from ccvae.inspection.example import example_batch

interventional = pytest.importorskip("chirho.interventional.handlers")
counterfactual = pytest.importorskip("chirho.counterfactual.handlers")
indexed = pytest.importorskip("chirho.indexed.ops")

SITES = [
    ("vae", "z"),
    ("m2", "z"),
    ("diva", "d"),
    ("diva", "y"),
    ("diva", "z_x"),
    ("ccvae", "y"),
    ("ccvae", "z_c"),
    ("ccvae", "z_c_5"),
    ("ccvae", "z_style"),
]


@pytest.fixture(scope="module")
def faces():
    return load("faces:16", "Smiling,Eyeglasses,Hair")


def worlds(faces, program, site, handler):
    """A draw of images, factual and with one site set to 1."""
    config = Config(program=program, network="mlp", style=2)
    model, _ = build_pair(config, faces.space, faces.shape, None, faces.domain_count)
    batch = example_batch(faces, "all")
    torch.manual_seed(0)
    with handler, interventional.do(actions={site: torch.ones_like}):
        return poutine.trace(model).get_trace(None, *batch.args[1:], **batch.kwargs)


@pytest.mark.parametrize(("program", "site"), SITES)
def test_twin_worlds(faces, program, site):
    """The worlds differ in what was set and in what depends on it, and in nothing else."""
    handler = counterfactual.MultiWorldCounterfactual()
    trace = worlds(faces, program, site, handler)
    value, event = trace.nodes[site]["value"], trace.nodes[site]["fn"].event_dim
    with handler:
        factual, changed = (
            indexed.gather(value, indexed.IndexSet(**{site: {world}}), event_dim=event)
            for world in (0, 1)
        )
    assert (changed == 1).all()
    assert not torch.equal(factual, changed)
    assert trace.nodes["x"]["value"].shape[0] == 2
    above = [name for name in trace.nodes if name.startswith(("y", "d_")) and name != site]
    for name in above:
        assert trace.nodes[name]["value"].shape[0] != 2


@pytest.mark.parametrize(("program", "site"), SITES)
def test_interventions_alone(faces, program, site):
    config = Config(program=program, network="mlp", style=2)
    model, _ = build_pair(config, faces.space, faces.shape, None, faces.domain_count)
    batch = example_batch(faces, "some")
    program = interventional.do(model, {site: torch.ones_like})
    trace = poutine.trace(program).get_trace(*batch.args, **batch.kwargs)
    assert trace.log_prob_sum().isfinite()
