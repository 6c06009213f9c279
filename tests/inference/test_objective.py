"""One contract for all objectives: every way to run one agrees with every other."""

import pyro
import pytest
import torch
from pyro.infer import SVI

from ccvae.inference import CCVAEAuthorsObjective, CCVAEObjective

OBJECTIVES = {
    "exact": lambda **k: CCVAEObjective(1.0, **k),
    "exact with alpha": lambda **k: CCVAEObjective(30.0, **k),
    "authors": CCVAEAuthorsObjective,
}

pytestmark = pytest.mark.usefixtures("double")
all_objectives = pytest.mark.parametrize("name", OBJECTIVES)
both_links = pytest.mark.parametrize("link", ["probit", "logit"])


def gradients(pair):
    return [None if p.grad is None else p.grad.clone() for p in pair.parameters]


@all_objectives
@both_links
def test_every_way_to_run_an_objective_agrees(make_pair, name, link):
    pair = make_pair(link)
    objective = OBJECTIVES[name]()

    def run(function, *args):
        pyro.set_rng_seed(3)
        return function(*args, *pair.args, **pair.kwargs)

    terms = run(objective.terms, *pair.programs)
    assert {term.shape for term in terms.values()} == {(36,)}
    expected = -10 * sum(terms.values()).sum().item()

    loss = run(objective.differentiable_loss, *pair.programs)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    loss.backward()
    by_loss = gradients(pair)
    assert run(objective.loss, *pair.programs) == pytest.approx(expected, rel=1e-12)

    for parameter in pair.parameters:
        parameter.grad = None
    value = run(objective.loss_and_grads, *pair.programs)
    assert value == pytest.approx(expected, rel=1e-12)
    torch.testing.assert_close(gradients(pair), by_loss)

    for parameter in pair.parameters:
        parameter.grad = None
    module = objective(*pair.programs)
    assert {id(p) for p in module.parameters()} == {id(p) for p in pair.parameters}
    loss = run(module)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    loss.backward()
    torch.testing.assert_close(gradients(pair), by_loss)
    torch.testing.assert_close(module.terms, {k: v.detach() for k, v in terms.items()})

    svi = SVI(*pair.programs, pyro.optim.Adam({"lr": 0.0}), loss=objective)
    assert run(svi.evaluate_loss) == pytest.approx(expected, rel=1e-12)
    assert run(svi.step) == pytest.approx(expected, rel=1e-12)


@all_objectives
def test_svi_reduces_the_loss(make_pair, name):
    pair = make_pair()
    svi = SVI(*pair.programs, pyro.optim.Adam({"lr": 0.02}), loss=OBJECTIVES[name]())
    losses = [svi.step(*pair.args, **pair.kwargs) for _ in range(60)]
    assert sum(losses[-10:]) < sum(losses[:10])


@all_objectives
def test_a_minibatch_counts_for_the_whole_data_set(make_pair, name):
    pair = make_pair()
    objective = OBJECTIVES[name]()
    losses = {}
    for size in (36, 360):
        pyro.set_rng_seed(0)
        losses[size] = objective.loss(*pair.programs, *pair.args, **pair.kwargs | {"size": size})
    assert losses[360] == pytest.approx(10 * losses[36])


@all_objectives
def test_particles_average(make_pair, name):
    pair = make_pair()
    pyro.set_rng_seed(0)
    one = OBJECTIVES[name]()
    draws = [one.terms(*pair.programs, *pair.args, **pair.kwargs) for _ in range(3)]
    pyro.set_rng_seed(0)
    mean = OBJECTIVES[name](num_particles=3).terms(*pair.programs, *pair.args, **pair.kwargs)
    for key, value in mean.items():
        torch.testing.assert_close(value, sum(draw[key] for draw in draws) / 3)


@all_objectives
def test_rows_do_not_depend_on_their_neighbours(make_pair, name):
    """A batch of one pattern costs what its rows cost in a mixed batch, on average."""
    pair = make_pair()
    (x, y), objective = pair.args, OBJECTIVES[name]()
    rows = torch.full((4000,), 17)
    mixed = torch.cat([rows, torch.arange(36).repeat(111)])

    def values(chosen):
        index = torch.arange(len(chosen))
        terms = objective.terms(*pair.programs, x[chosen], y[chosen], index=index, size=len(chosen))
        return sum(terms.values()).detach()[:4000]

    a, b = values(rows), values(mixed)
    error = (a.var() / len(a) + b.var() / len(b)).sqrt()
    assert (a.mean() - b.mean()).abs() < 4 * error


@all_objectives
def test_pyros_traces_are_refused(name):
    with pytest.raises(TypeError, match=r"Objective\.draw"):
        OBJECTIVES[name]()._get_trace(None, None, (), {})
