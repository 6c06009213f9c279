"""Whole training steps on the ``meta`` device: a stray CPU tensor raises there.

Tensors on that device have a shape and no data, so a step runs without a GPU, and fails at the
first operation that mixes devices. What the host reads back from them is counted: on a GPU each
read stops the program until the device has caught up.
"""

import math
from functools import partial

import pyro
import pytest
import torch
from pyro.infer import SVI
from torch.overrides import TorchFunctionMode

from ccvae.config import Config
from ccvae.data import Binary, Categorical, Dataset, LabelSpace, Ordinal, Real, rows_by_missing
from ccvae.inference import CCVAEObjective, ImportanceWeightedObjective
from ccvae.inference.catalogue import PROGRAMS, build_pair
from ccvae.inference.training.loop import Training
from ccvae.models import LIKELIHOODS

ROWS, STYLE, SHAPE, DOMAINS = 5, 3, (1, 28, 28), 3
CLASSED = [Binary("a"), Categorical("hair", tuple("xyz")), Ordinal("stage", tuple("pqr"))]
CLASSES, SPACE = LabelSpace(CLASSED), LabelSpace([*CLASSED, Real("age")])
PATTERNS = {
    "labelled": [[1.0, 2.0, 0.0, 0.3]],
    "unlabelled": [[math.nan] * 4],
    "mixed": [[math.nan, 1.0, 0.0, math.nan]],
}
"""On the ``meta`` device all three run the same operations: missing is data, and there is none."""

FEWER = {"importance-weighted": partial(ImportanceWeightedObjective, num_particles=2)}
"""Objectives with fewer particles than they have by default, to save time."""

all_pairs = pytest.mark.parametrize(
    ("program", "objective", "link"),
    [
        pytest.param(program, FEWER.get(name, objective), link, id=f"{program}-{name}-{link}")
        for program, objectives in PROGRAMS.items()
        for name, objective in objectives.items()
        for link in (("probit", "logit") if program == "ccvae" else ("probit",))
    ],
)


class Reads(TorchFunctionMode):
    """Answers whoever asks a tensor without data for a number, and counts the questions."""

    count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in ("item", "__float__", "__int__", "__bool__", "tolist") and args[0].is_meta:
            self.count += 1
            return name == "__bool__" or 0.0
        return func(*args, **(kwargs or {}))


@pytest.fixture
def reads(monkeypatch):
    # Pyro's search for NaN runs in a backward hook, where modes do not reach.
    monkeypatch.setattr(pyro.util, "torch_isnan", lambda _: False)
    with pyro.validation_enabled(False), Reads() as mode:
        yield mode


def space_of(program):
    """M2 takes labels with classes alone."""
    return CLASSES if program == "m2" else SPACE


def programs(program="ccvae", link="probit", likelihood="laplace", device="meta"):
    config = Config(program=program, link=link, likelihood=likelihood, style=STYLE)
    model, guide = build_pair(config, space_of(program), SHAPE, domains=DOMAINS)
    return model.to(device), guide.to(device)


def batch(pattern, labels, device="meta"):
    y = torch.tensor(PATTERNS[pattern])[:, :labels].expand(ROWS, labels)
    d = torch.full((ROWS,), -1 if pattern == "unlabelled" else 1, device=device)
    args = torch.empty(ROWS, *SHAPE, device=device), y.to(device), d
    return args, {"index": torch.arange(ROWS, device=device), "size": 50}


def module_step(model, guide, objective, pattern):
    """One step as training makes it."""
    module = objective()(model, guide)
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-3)
    args, kwargs = batch(pattern, len(getattr(model, "space", SPACE)))
    loss = module(*args, **kwargs)
    loss.backward()
    optimiser.step()
    assert loss.is_meta
    assert all(term.is_meta for term in module.terms.values())
    assert all(p.grad is not None and p.grad.is_meta for p in module.parameters())


@all_pairs
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_training_step_stays_on_its_device(reads, program, objective, link, pattern):
    with pyro.settings.context(module_local_params=True):
        module_step(*programs(program, link), objective, pattern)
    assert reads.count == 0


@all_pairs
def test_training_reads_nothing_back_between_two_logging_intervals(reads, program, objective, link):
    """The host notes which rows of a batch have missing labels, and M2 reads that."""
    rows = data_set(space_of(program)).training(0.5, seed=0)
    known, missing = rows_by_missing(rows.batch(torch.arange(ROWS), "meta").y)
    assert known.is_meta
    assert min(len(known), len(missing)) > 0
    with pyro.settings.context(module_local_params=True):
        module = objective()(*programs(program, link))
        training = Training(
            module,
            torch.optim.Adam(module.parameters()),
            rows,
            epochs=1,
            batch_size=ROWS,
            seed=0,
            rate=lambda _: 1e-3,
            log_every=100,
        )
        steps = training.run()
        next(steps)
        reads.count = 0
        assert [next(steps).interval for _ in range(4)] == [None] * 4
    assert reads.count == 0


def data_set(space):
    rows = torch.arange(6 * ROWS)
    images = torch.zeros(len(rows), *SHAPE, dtype=torch.uint8)
    labels = torch.stack([rows % 2, rows % 3, rows % 3, rows / 7], -1).float()[:, : len(space)]
    return Dataset("toy", images, labels, rows % DOMAINS, space, train=rows, test=rows[:0])


@all_pairs
@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_svi_step_stays_on_its_device(reads, program, objective, link, pattern):
    model, guide = programs(program, link)
    svi = SVI(model, guide, pyro.optim.Adam({"lr": 1e-3}), loss=objective())
    args, kwargs = batch(pattern, len(space_of(program)))
    svi.step(*args, **kwargs)
    assert all(p.grad is None or p.grad.is_meta for p in guide.parameters())


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_likelihood_stays_on_its_device(reads, likelihood):
    module_step(*programs(likelihood=likelihood), CCVAEObjective, "mixed")


class Stray(torch.nn.Module):
    """Wraps a network so that it adds a tensor of the default device."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, z):
        return self.network(z) + torch.zeros(28)


class StrayLabels(CCVAEObjective):
    """Weighs its rows by numbers of the default device."""

    def formula(self, draw):
        return {name: term * torch.ones(ROWS) for name, term in super().formula(draw).items()}


def test_a_stray_tensor_is_noticed(reads):
    model, guide = programs()
    with pytest.raises(RuntimeError, match="device"):
        module_step(model, guide, StrayLabels, "mixed")
    model.decoder = Stray(model.decoder)
    with pytest.raises(RuntimeError, match="device"):
        module_step(model, guide, CCVAEObjective, "mixed")


def test_a_read_is_counted(reads):
    torch.zeros(3, device="meta").sum().item()
    assert reads.count == 1
