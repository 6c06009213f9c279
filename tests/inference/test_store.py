"""Pyro's parameter store and the pair that is trained through it: by SVI, and no other pair."""

import copy

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import SVI, Trace_ELBO, TraceEnum_ELBO, config_enumerate
from pyro.nn import PyroModule
from torch import nn

from ccvae.config import Config
from ccvae.data.faces import faces
from ccvae.inference import CCVAEObjective, M2Objective, check_pair
from ccvae.inference.catalogue import build_objective, build_pair
from ccvae.models import NetworkProgram

DATA = faces(24).only(["Eyeglasses", "Hair"])
BATCH = next(DATA.training(0.5, seed=0).batches(8, seed=0))


def pair_of(program, seed=0):
    torch.manual_seed(seed)
    return build_pair(Config(program=program, style=2, network="conv64"), DATA.space, DATA.shape)


def parameters(*programs):
    return {
        f"{number} {name}": p
        for number, program in enumerate(programs)
        for name, p in program.named_parameters()
    }


def moved(programs, step):
    """The names of the parameters that a step changes."""
    before = {name: p.detach().clone() for name, p in parameters(*programs).items()}
    step()
    return {name for name, p in parameters(*programs).items() if not torch.equal(p, before[name])}


def adam():
    return pyro.optim.Adam({"lr": 1e-2})


@pytest.mark.parametrize("program", ["vae", "m2", "ccvae"])
def test_svi_trains_what_the_module_trains(program):
    """Convolutions too, whose weights lie channels-last: Pyro's store would keep copies of them."""
    objective = build_objective(Config(program=program, alpha=None if program == "vae" else 10.0))
    pair = pair_of(program)
    beside = copy.deepcopy(pair)
    torch.manual_seed(1)
    svi = SVI(*pair, adam(), loss=objective)
    changed = moved(pair, lambda: svi.step(*BATCH.args, **BATCH.kwargs))
    torch.manual_seed(1)
    optimizer = torch.optim.Adam(parameters(*beside).values(), lr=1e-2)
    loss = objective(*beside)(*BATCH.args, **BATCH.kwargs)
    loss.backward()
    assert changed == moved(beside, optimizer.step)
    convolutions = {name for name, p in parameters(*pair).items() if p.dim() == 4}
    assert convolutions
    assert convolutions <= changed
    for name, p in parameters(*pair).items():
        torch.testing.assert_close(p, parameters(*beside)[name], rtol=1e-4, atol=1e-5, msg=name)


def test_pyros_elbo_trains_all_of_a_pair():
    model, guide = pair_of("ccvae")
    svi = SVI(model, config_enumerate(guide), adam(), loss=TraceEnum_ELBO(max_plate_nesting=2))
    with pytest.warns(RuntimeWarning, match="possibly invalid"):
        changed = moved((model, guide), lambda: svi.step(*BATCH.args, **BATCH.kwargs))
    assert changed == set(parameters(model, guide))


def test_a_second_pair_is_refused_and_then_trained():
    first, second = pair_of("m2", 0), pair_of("m2", 1)
    objective = M2Objective(alpha=1.0)
    check_pair(*first, *BATCH.args, objective=objective, **BATCH.kwargs)
    SVI(*first, adam(), loss=objective).step(*BATCH.args, **BATCH.kwargs)
    check_pair(*first, *BATCH.args, objective=objective, **BATCH.kwargs)
    said = r"got others' under \d+ of \d+ names, .*; call pyro.clear_param_store\(\) before"
    for asked in (None, objective):
        with pytest.raises(ValueError, match=said):
            check_pair(*second, *BATCH.args, objective=asked, **BATCH.kwargs)
    svi = SVI(*second, adam(), loss=objective)
    with pytest.raises(ValueError, match=said):
        svi.step(*BATCH.args, **BATCH.kwargs)
    pyro.clear_param_store()
    check_pair(*second, *BATCH.args, objective=objective, **BATCH.kwargs)
    changed = moved(second, lambda: svi.step(*BATCH.args, **BATCH.kwargs))
    assert changed == set(parameters(*second))


def test_the_module_of_a_second_pair_needs_no_store():
    first, second = pair_of("ccvae", 0), pair_of("ccvae", 1)
    objective = CCVAEObjective(alpha=1.0)
    SVI(*first, adam(), loss=objective).step(*BATCH.args, **BATCH.kwargs)
    module = objective(*second)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    module(*BATCH.args, **BATCH.kwargs).backward()
    assert moved(second, optimizer.step) == set(parameters(*second))


class Line(PyroModule):
    """A model with a parameter and a network of its own."""

    def __init__(self, *, network=None):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(()))
        self.network = network or nn.Linear(1, 1)

    def forward(self, x):
        with pyro.plate("data", len(x)):
            z = pyro.sample("z", dist.Normal(0.0, 1.0))
            mean = self.network(z[:, None])[:, 0] + self.offset
            pyro.sample("x", dist.Normal(mean, 1.0), obs=x)


def line_guide(x):
    loc = pyro.param("loc", torch.zeros(()))
    with pyro.plate("data", len(x)):
        pyro.sample("z", dist.Normal(loc, 1.0))


def network_guide(network, name="encoder"):
    def guide(x):
        pyro.module(name, network)
        with pyro.plate("data", len(x)):
            pyro.sample("z", dist.Normal(network(x[:, None])[:, 0], 1.0))

    return guide


X = torch.randn(5)


def test_programs_of_others():
    """Parameters that a function states itself are meant to be found again under their names."""
    first, second = Line(), Line()
    SVI(first, line_guide, adam(), loss=Trace_ELBO()).step(X)
    check_pair(first, line_guide, X, objective=Trace_ELBO())
    with pytest.raises(ValueError, match="others' under 3 of 3 names, as '"):
        check_pair(second, line_guide, X, objective=Trace_ELBO())
    pyro.clear_param_store()
    check_pair(second, line_guide, X, objective=Trace_ELBO())
    SVI(second, line_guide, adam(), loss=Trace_ELBO()).step(X)


def test_a_network_of_a_function():
    model = Line()
    guides = network_guide(nn.Linear(1, 1)), network_guide(nn.Linear(1, 1))
    SVI(model, guides[0], adam(), loss=Trace_ELBO()).step(X)
    check_pair(model, guides[0], X, objective=Trace_ELBO())
    with pytest.raises(ValueError, match=r"as 'encoder\$\$\$weight'"):
        check_pair(model, guides[1], X, objective=Trace_ELBO())


def test_two_parts_of_one_name():
    """SVI would train the guide's network alone."""
    model, guide = Line(), network_guide(nn.Linear(1, 1), "network")
    SVI(model, guide, adam(), loss=Trace_ELBO()).step(X)
    with pytest.raises(ValueError, match=r"2 of 3 names.*give its parts different names"):
        check_pair(model, guide, X, objective=Trace_ELBO())


class Picture(PyroModule):
    """A guide of which SVI would train a copy of a convolution's weights."""

    def __init__(self):
        super().__init__()
        self.network = nn.Conv2d(2, 1, 2).to(memory_format=torch.channels_last)

    def forward(self, x, y=None, *, index, size):
        with pyro.plate("data", size, subsample=index, dim=-2):
            pyro.sample("z", dist.Normal(self.network(x).flatten(2), 1.0).to_event(1))


class Pictured(NetworkProgram):
    """Its model."""

    def forward(self, x, y=None, *, index, size):
        with pyro.plate("data", size, subsample=index, dim=-2):
            z = pyro.sample("z", dist.Normal(torch.zeros(len(x), 1, 1), 1.0).to_event(1))
            pyro.sample("x", dist.Normal(z, 1.0).to_event(1), obs=x.flatten(1)[:, None, :1])


def test_a_copy_is_named():
    from ccvae.inference import VAEObjective

    svi = SVI(Pictured(), Picture(), adam(), loss=VAEObjective())
    x = torch.rand(3, 2, 2, 2)
    with pytest.raises(ValueError, match="expected a contiguous parameter, got 'network"):
        svi.step(x, index=torch.arange(3), size=3)
