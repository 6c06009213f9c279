"""M2's networks see every case of a batch once."""

import math

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import config_enumerate

from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.inference import M2Objective, M2ScoreObjective, check_pair
from ccvae.inference.catalogue import build_pair
from ccvae.models import cases as module

SPACE = LabelSpace([Binary("a"), Categorical("hair", ("x", "y", "z"))])
NAN = math.nan
PATTERNS = {
    "labelled": ([[0.0, 2.0], [1.0, 1.0], [1.0, 0.0]], 3),
    "unlabelled": ([[NAN, NAN]] * 3, 3 * 6),
    "mixed": ([[NAN, NAN], [1.0, 2.0], [0.0, NAN]], 1 + 2 * 6),
}
"""Labels of three rows, and how many cases they are: a row with missing labels is all six."""


@pytest.fixture
def programs():
    torch.manual_seed(0)
    config = Config(program="m2", network="mlp", likelihood="bernoulli", style=2)
    return build_pair(config, SPACE, (1, 3, 3))


def arguments(y):
    return (torch.rand(3, 1, 3, 3), torch.tensor(y)), {"index": torch.arange(3), "size": 3}


def rows_of(network):
    """How many rows a network is called with, call by call."""
    rows = []
    network.register_forward_hook(lambda _, __, out: rows.append(out.shape[:-1].numel()))
    return rows


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_case_is_computed_once(programs, pattern):
    y, count = PATTERNS[pattern]
    args, kwargs = arguments(y)
    encoded = rows_of(programs[1].encoder.heads.loc)
    decoded = rows_of(programs[0].decoder.latents)
    M2Objective().loss(*programs, *args, **kwargs)
    assert sum(encoded) == sum(decoded) == count


def test_a_batch_without_missing_labels_has_nothing_to_sum_over(programs):
    args, kwargs = arguments(PATTERNS["labelled"][0])
    draw = M2Objective().draw(*programs, *args, **kwargs)
    label = draw.guide["y_unobserved"]
    assert "_enumerate_dim" not in label["infer"]
    assert label["fn"].counted is False
    assert draw.guide["z"]["value"].shape == (3, 1, 2)
    assert not draw.q("y").any()
    for objective in (None, M2Objective(), M2ScoreObjective()):
        check_pair(*programs, *args, objective=objective, **kwargs)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_programs_of_any_pattern_pass_the_check(programs, pattern):
    args, kwargs = arguments(PATTERNS[pattern][0])
    check_pair(*programs, *args, **kwargs)


def test_an_observed_row_has_one_draw(programs):
    args, kwargs = arguments(PATTERNS["mixed"][0])
    draw = M2Objective().draw(*programs, *args, **kwargs)
    z = draw.guide["z"]["value"].squeeze(-2)
    assert z.shape == (6, 3, 2)
    assert [len(z[:, row].unique(dim=0)) for row in range(3)] == [6, 1, 6]


def test_the_densities_are_those_of_all_entries(programs, monkeypatch):
    """Without the knowledge which rows are observed, everything is computed at every setting."""
    args, kwargs = arguments(PATTERNS["mixed"][0])
    _, guide = programs
    trace = pyro.poutine.trace(
        pyro.poutine.enum(config_enumerate(guide), first_available_dim=-3)
    ).get_trace(*args, **kwargs)

    def densities():
        replayed = [pyro.poutine.trace(pyro.poutine.replay(p, trace=trace)) for p in programs]
        found = [t.get_trace(*args, **kwargs) for t in replayed]
        for t in found:
            t.compute_log_prob()
        sites = (found[0].nodes["x"], found[1].nodes["z"])
        return [site["log_prob"].expand(6, 3, 1) for site in sites]

    each_once = densities()
    nothing = torch.arange(0), torch.arange(3)
    monkeypatch.setattr(module, "rows_by_missing", lambda _: nothing)
    torch.testing.assert_close(each_once, densities())


def test_particles_in_a_plate_keep_draws_of_their_own(programs):
    args, kwargs = arguments(PATTERNS["labelled"][0])
    with pyro.plate("particles", 4, dim=-3):
        trace = pyro.poutine.trace(programs[1]).get_trace(*args, **kwargs)
    z = trace.nodes["z"]["value"]
    assert all(len(z[:, row].unique(dim=0)) == 4 for row in range(3))


def test_a_site_of_cases_is_a_distribution_of_entries():
    y = torch.tensor([[NAN], [1.0]])
    codes = torch.where(y.isnan(), torch.arange(2.0)[:, None, None], y)
    with pyro.plate("data", 2, dim=-2):
        cases = module.Cases(y, codes[..., None])
    assert cases.codes.tolist() == [[1], [0], [1]]
    base = dist.Normal(torch.tensor([[10.0], [20.0], [30.0]]), 1.0).to_event(1)
    site = cases.site(base)
    assert (site.batch_shape, site.event_shape) == ((2, 2, 1), (1,))
    assert site.mean.flatten().tolist() == [20, 10, 30, 10]
    assert site.support.event_dim == 1
    assert site.has_rsample
    draws = site.sample()
    torch.testing.assert_close(
        site.log_prob(draws)[:, 1], base.log_prob(draws[0, 1])[0].expand(2, 1)
    )
