"""One contract for all objectives: every way to run one agrees with every other."""

import itertools

import pyro
import pytest
import torch
from pyro.infer import SVI
from pyro.poutine.messenger import Messenger

from ccvae.inference import CCVAEAuthorsObjective, CCVAEObjective, ImportanceWeightedObjective
from ccvae.inference.catalogue import PROGRAMS

CASES = [
    pytest.param(program, objective, id=f"{program}-{name}")
    for program, objectives in PROGRAMS.items()
    for name, objective in objectives.items()
]
"""Every objective on every program to which it applies, in all patterns of missing labels."""

pytestmark = pytest.mark.usefixtures("double")
all_pairs = pytest.mark.parametrize(("program", "objective"), CASES)


def gradients(pair):
    return [None if p.grad is None else p.grad.clone() for p in pair.parameters]


@pytest.mark.parametrize(
    ("program", "objective", "link"),
    [
        pytest.param(*case.values, link, id=f"{case.id}-{link}")
        for case in CASES
        for link in (("probit", "logit") if case.values[0] == "ccvae" else ("none",))
    ],
)
def test_every_way_to_run_an_objective_agrees(make_pair, program, objective, link):
    pair = make_pair(link, program=program)
    objective, rows = objective(), len(pair.args[0])

    def run(function, *args):
        pyro.set_rng_seed(3)
        return function(*args, *pair.args, **pair.kwargs)

    terms = run(objective.terms, *pair.programs)
    assert {term.shape for term in terms.values()} == {(rows,)}
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


@all_pairs
def test_svi_reduces_the_loss(make_pair, program, objective):
    pair = make_pair(program=program)
    svi = SVI(*pair.programs, pyro.optim.Adam({"lr": 0.02}), loss=objective(num_particles=1))
    losses = [svi.step(*pair.args, **pair.kwargs) for _ in range(60)]
    assert sum(losses[-10:]) < sum(losses[:10])


@all_pairs
def test_a_minibatch_counts_for_the_whole_data_set(make_pair, program, objective):
    pair = make_pair(program=program)
    rows = len(pair.args[0])
    losses = []
    for size in (rows, 10 * rows):
        pyro.set_rng_seed(0)
        losses.append(objective().loss(*pair.programs, *pair.args, **pair.kwargs | {"size": size}))
    assert losses[1] == pytest.approx(10 * losses[0])


class At(Messenger):
    """A guide's draws are one particle of a draw that was made before."""

    def __init__(self, draw, particle):
        super().__init__()
        self.draw, self.particle = draw, particle

    def _pyro_sample(self, msg):
        site = self.draw.guide.get(msg["name"])
        if site and "_enumerate_dim" not in site["infer"] and not msg["is_observed"]:
            msg["value"] = site["value"].select(-3 - msg["fn"].event_dim, self.particle)
            msg["done"] = True


@pytest.mark.parametrize(
    ("program", "objective"),
    # The authors' estimate of q(y|x) has draws of its own beside the guide's.
    [case for case in CASES if case.values[1] is not CCVAEAuthorsObjective],
)
def test_particles_of_one_run_are_draws_each(make_pair, program, objective):
    pair = make_pair(program=program)
    draws = []

    class Spy(objective):
        particles_at_once = 2
        fixed = None

        def formula(self, draw):
            draws.append(draw)
            return super().formula(draw)

        def prepare(self, guide):
            guide = super().prepare(guide)
            return At(*self.fixed)(guide) if self.fixed else guide

    four = Spy(num_particles=4)
    together = four.terms(*pair.programs, *pair.args, **pair.kwargs)
    assert len(draws) == 2
    one, each = Spy(num_particles=1), []
    for draw, particle in itertools.product(draws[:2], range(2)):
        one.fixed = draw, particle
        each.append(one.terms(*pair.programs, *pair.args, **pair.kwargs))
    apart = four.combine({name: torch.stack([t[name] for t in each]) for name in together})
    # Where M2 runs once for all cases, a row without missing labels has one draw.
    rows = pair.args[1].isnan().any(-1) if program == "m2" else slice(None)
    for name, term in together.items():
        torch.testing.assert_close(term[rows], apart[name][rows])


@all_pairs
def test_particles_average(make_pair, program, objective, monkeypatch):
    monkeypatch.setattr(objective, "particles_at_once", 1)
    pair = make_pair(program=program)
    pyro.set_rng_seed(0)
    one = objective(num_particles=1)
    draws = [one.terms(*pair.programs, *pair.args, **pair.kwargs) for _ in range(3)]
    pyro.set_rng_seed(0)
    three = objective(num_particles=3).terms(*pair.programs, *pair.args, **pair.kwargs)
    for key, value in three.items():
        values = torch.stack([draw[key] for draw in draws])
        if objective is ImportanceWeightedObjective:
            expected = values.exp().mean(0).log()
        else:
            expected = values.mean(0)
        torch.testing.assert_close(value, expected)


@all_pairs
def test_rows_do_not_depend_on_their_neighbours(make_pair, program, objective):
    """A batch of one pattern costs what its rows cost in a mixed batch, on average."""
    pair, objective, copies = make_pair(program=program), objective(), 1500
    rows = torch.full((copies,), 17)
    mixed = torch.cat([rows, torch.arange(36).repeat(copies // 36)])

    def values(chosen):
        batch = pair.rows(chosen)
        terms = objective.terms(*batch.programs, *batch.args, **batch.kwargs)
        return sum(terms.values()).detach()[:copies]

    a, b = values(rows), values(mixed)
    error = (a.var() / len(a) + b.var() / len(b)).sqrt()
    assert (a.mean() - b.mean()).abs() < 4 * error


@all_pairs
def test_missing_labels_give_no_nan(make_pair, program, objective):
    pair = make_pair(program=program)
    objective().loss_and_grads(*pair.programs, *pair.args, **pair.kwargs)
    assert all(p.grad is None or p.grad.isfinite().all() for p in pair.parameters)


def test_pyros_traces_are_refused():
    with pytest.raises(TypeError, match=r"Objective\.draw"):
        CCVAEObjective()._get_trace(None, None, (), {})
