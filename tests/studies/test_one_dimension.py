"""A categorical label on one dimension: its sums against quadrature, its draws against both."""

import json
import math
from dataclasses import replace

import pytest
import torch
from pyro.infer import SVI
from pyro.optim import Adam
from scipy.integrate import quad
from scipy.stats import norm

from ccvae.data import Dataset
from ccvae.data.faces import FACES, faces
from ccvae.inference import CCVAEObjective
from ccvae.inference.evaluation.prediction import encode
from ccvae.studies import Subject
from ccvae.studies.comparisons.hair import ARMS, CLASSES, build, by_class, probabilities, with_hair
from ccvae.studies.comparisons.multiclass import CONFIG, marks
from ccvae.studies.comparisons.one_dimension import Line
from ccvae.studies.comparisons.run import run_table
from ccvae.studies.reading.examples import whole

SLOPE = torch.tensor([[-2.0, 0.5, 3.0]], dtype=torch.float64)
INTERCEPT = torch.tensor([[0.3, 0.0, -1.0]], dtype=torch.float64)


def line(loc, scale):
    return Line(
        torch.tensor([[[loc]]], dtype=torch.float64),
        torch.tensor([[[scale]]], dtype=torch.float64),
        SLOPE,
        INTERCEPT,
    )


def probability(z, k):
    return (SLOPE[0] * z + INTERCEPT[0]).softmax(-1)[k].item()


@pytest.mark.parametrize(("loc", "scale"), [(0.0, 1.0), (-1.5, 0.3), (4.0, 2.0)])
def test_class_probabilities_are_the_integrals(loc, scale):
    found = line(loc, scale).log_classes().exp().flatten()
    for k in range(3):
        exact, _ = quad(lambda e, k=k: norm.pdf(e) * probability(loc + scale * e, k), -9, 9)
        assert found[k].item() == pytest.approx(exact, abs=1e-9)
    assert found.sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("k", [0, 1, 2, None])
def test_draws_given_a_class_have_the_moments_of_bayes_rule(k):
    torch.manual_seed(0)
    y = torch.tensor([[torch.nan if k is None else float(k)]])
    given = line(0.5, 1.2).given(y)
    z = given.rsample(torch.Size([40_000])).flatten()

    def weight(e):
        return norm.pdf(e) * (1 if k is None else probability(0.5 + 1.2 * e, k))

    mass = quad(weight, -9, 9)[0]
    for power in (1, 2):
        exact = quad(lambda e, n=power: weight(e) * (0.5 + 1.2 * e) ** n, -9, 9)[0] / mass
        assert (z**power).mean().item() == pytest.approx(exact, abs=0.05)
    expected = 0.0 if k is None else math.log(mass)
    assert given.log_evidence().item() == pytest.approx(expected, abs=1e-9)


def test_draws_carry_the_gradient_of_their_mean():
    """d E[z]/d loc, by the draws and by the difference of two integrals."""

    def mean(loc):
        def weight(e):
            return norm.pdf(e) * probability(loc + 1.2 * e, 1)

        return quad(lambda e: weight(e) * (loc + 1.2 * e), -9, 9)[0] / quad(weight, -9, 9)[0]

    torch.manual_seed(0)
    loc = torch.full((1, 1, 1), 0.5, dtype=torch.float64, requires_grad=True)
    block = Line(loc, torch.full_like(loc, 1.2), SLOPE, INTERCEPT)
    block.given(torch.ones(1, 1)).rsample(torch.Size([40_000])).mean().backward()
    assert loc.grad.item() == pytest.approx((mean(0.501) - mean(0.499)) / 0.002, abs=0.02)


def small(rows=60):
    torch.manual_seed(0)
    images = torch.randint(0, 256, (rows, 3, 8, 8), dtype=torch.uint8)
    labels = torch.stack([torch.arange(rows) % len(label.classes) for label in FACES], 1).float()
    labels[::7, -1] = torch.nan
    every = torch.arange(rows)
    return Dataset("small", images, labels, None, FACES, every[::2], every[1::2])


def test_hair_as_five_labels():
    data = small()
    view = by_class(data)
    assert view.space.names == (*FACES.names[:-1], *CLASSES)
    torch.testing.assert_close(view.labels[:, :8], data.labels[:, :8], equal_nan=True)
    hair, five = data.labels[:, -1], view.labels[:, 8:]
    assert torch.equal(five.isnan().all(1), hair.isnan())
    known = ~hair.isnan()
    assert torch.equal(five[known].argmax(1), hair[known].long())
    assert torch.equal(five[known].sum(1), torch.ones(int(known.sum())))


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_is_a_pair_that_the_objective_takes(arm):
    view = ARMS[arm].view(small())
    rows = view.training(1.0, 0)
    model, guide = build(replace(CONFIG, style=2), rows, ARMS[arm].means)
    batch = whole(rows)
    space = view.space
    loss = SVI(model, guide, Adam({"lr": 1e-3}), CCVAEObjective(3.0)).step(
        *batch.args, **batch.kwargs
    )
    assert loss == loss
    q = probabilities(guide, space, batch.x)
    assert q.shape == (30, 5)
    codes = torch.arange(30) % 5
    with torch.no_grad():
        _, (loc, _) = guide.posterior(batch.x)
    assert loc.shape == (30, 2)
    latents = encode(guide, batch)
    changed = with_hair(Subject(model, guide, rows), latents, codes)
    moved = {site for site in latents if not torch.equal(latents[site], changed[site])}
    assert moved == ({"z_c"} if space is not FACES else {"z_c_5"})


def test_where_the_class_means_start():
    starts = {}
    for name, arm in ARMS.items():
        rows = arm.view(small()).training(1.0, 0)
        model, _ = build(replace(CONFIG, style=2), rows, arm.means)
        prior = model.prior[-1].loc[-1]
        starts[name] = (tuple(prior.shape), len(prior.unique(dim=0)))
    assert list(starts.values()) == [
        ((5, 4), 5),
        ((5, 4), 1),
        ((5, 1), 5),
        ((5, 1), 1),
        ((2, 1), 2),
    ]


def test_marks_by_hand():
    q = torch.tensor([[0.6, 0.4, 0, 0, 0], [0.3, 0.4, 0.3, 0, 0]])
    found = marks(q, torch.tensor([0, 1]))
    assert found == {"hair": 100.0, "each": 90.0}  # nothing has more than half in the second row


def test_the_table_measures_every_arm_and_both_baselines(tmp_path, brief_classifiers):
    config = replace(CONFIG, style=2, epochs=1, labelled=0.5)
    lines = []
    table = run_table("multiclass", folder=tmp_path, report=lines.append, config=config, count=72)
    found = {m["method"]: m for m in map(json.loads, lines)}
    assert list(found) == ["majority class", "plain classifier", *ARMS]
    assert [row[0] for row in table.rows] == [*ARMS, "plain classifier", "majority class"]
    assert len({m["chance"] for name, m in found.items() if name in ARMS}) == 1
    for row in table.rows[:5]:
        assert None not in row
    for row in table.rows[5:]:
        assert row[3:] == (None,) * (len(table.columns) - 3)
    most = faces(72, pixels=32).labels[60:, -1].long().bincount().max() / 12
    assert 0 <= table.rows[-1][1].mean <= 100 * most.item() + 1e-3
