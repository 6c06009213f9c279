"""Weights of an objective over a training: what is logged, what resumes, what is refused."""

import json
import sys
from dataclasses import replace

import pytest
import torch

from ccvae.config import Config
from ccvae.data import Binary, Dataset, LabelSpace
from ccvae.inference import (
    CCVAEObjective,
    DIVAObjective,
    ImportanceWeightedObjective,
    MarginalObjective,
    OurAdaptedDIVAObjective,
    check_pair,
)
from ccvae.inference.catalogue import build_objective, objective_class
from ccvae.inference.objectives.weights import weigh, weights_of
from ccvae.inference.runs.run import resume_or_create, training_rows
from ccvae.inspection.writing.formulas import write_term

from .leaving import finished

CPU = torch.device("cpu")
CONFIG = Config(
    program="ccvae",
    objective="our-adapted-diva",
    network="mlp",
    style=2,
    labelled=0.5,
    epochs=3,
    batch_size=8,
    schedule="constant,alpha=linear:0:40:2,beta=cosine:0:1:2",
)


@pytest.fixture(scope="module")
def data():
    """40 images of 6×6, bright or dim."""
    generator = torch.Generator().manual_seed(0)
    bright = torch.randint(2, (40,), generator=generator)
    images = (
        torch.randint(30, (40, 1, 6, 6), generator=generator) + 150 * bright[:, None, None, None]
    )
    space, rows = LabelSpace([Binary("bright")]), torch.arange(40)
    return Dataset(
        "dots", images.byte(), bright[:, None].float(), None, space, rows[:32], rows[32:]
    )


def test_the_weights_of_an_objective_are_what_it_is_made_with():
    assert weights_of(CCVAEObjective(3)) == {"alpha": 3.0}
    assert weights_of(OurAdaptedDIVAObjective(3.0)) == {"alpha": 3.0, "beta": 1.0}
    assert set(weights_of(DIVAObjective())) == {"alpha", "alpha_d", "beta"}
    assert "num_particles" not in weights_of(ImportanceWeightedObjective())


def trained(config, data, directory, stops):
    def begin():
        run = resume_or_create(config, data, directory, CPU, resume=True)
        return run, training_rows(run.config, data)

    return finished(begin, stops)[0]


def test_weights_move_from_step_to_step_and_resume_in_the_middle(tmp_path, data):
    whole = trained(CONFIG, data, tmp_path / "whole", [])
    left = trained(CONFIG, data, tmp_path / "left", [2, 3, 1])
    for name, module in whole.modules.items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, left.modules[name].state_dict()[key]), key
    lines = [json.loads(x) for x in (tmp_path / "left/steps.jsonl").read_text().splitlines()]
    per_epoch = len(lines) // 3
    alphas = [line["alpha"] for line in lines]
    assert alphas[: 2 * per_epoch] == pytest.approx(
        [20 * (step + 1) / per_epoch for step in range(2 * per_epoch)]
    )
    assert alphas[2 * per_epoch :] == [40.0] * per_epoch
    betas = [line["beta"] for line in lines]
    assert 0 < betas[0] < betas[per_epoch] < betas[-1] == 1.0
    assert {line["lr"] for line in lines[per_epoch:]} == {CONFIG.lr}
    facts = json.loads((tmp_path / "left/config.json").read_text())
    assert facts["config"]["schedule"] == CONFIG.schedule
    assert facts["config"]["alpha"] is None
    with pytest.raises(ValueError, match="other options"):
        trained(replace(CONFIG, schedule="constant"), data, tmp_path / "left", [])


@pytest.mark.parametrize(
    ("objective", "schedule", "message"),
    [
        ("ccvae", "beta=constant:1", "no weight 'beta' to change; it has alpha"),
        ("marginal", "gamma=constant:1", "no weight 'gamma'"),
        ("pyro:Trace_ELBO", "alpha=constant:1", "it has none"),
        ("our-adapted-diva", "beta=linear:1:0:3", "expected a positive beta"),
    ],
)
def test_what_an_objective_has_not_cannot_change(objective, schedule, message):
    with pytest.raises(ValueError, match=message):
        build_objective(replace(CONFIG, objective=objective, schedule=schedule))


# Sums.


@pytest.mark.usefixtures("double")
def test_a_sum_is_the_sum_of_its_parts(make_pair):
    pair = make_pair()
    parts = CCVAEObjective(3.0), MarginalObjective(2.0)
    total = 0.25 * parts[0] + 2 * parts[1]

    def of(objective):
        torch.manual_seed(1)
        module = objective(*pair.programs)
        loss = module(*pair.args, **pair.kwargs)
        return loss, module.terms

    loss, terms = of(total)
    first, own = of(parts[0])
    torch.testing.assert_close(
        of(0.25 * parts[0] + 1e-12 * parts[1])[0].double(), 0.25 * first, rtol=1e-9, atol=0
    )
    assert "weight_1 log p(x|z)" in terms
    assert "-weight_2 log q(z_style|x)" in terms
    assert write_term("-weight_2 beta log q(z|x)") == "−w_2 β log q(z|x)"
    torch.testing.assert_close(
        loss, -torch.stack(list(terms.values())).sum() * 10, rtol=1e-10, atol=0
    )
    # With a part of no weight to speak of, the bound is that of the other.
    _, tiny = of(1.0 * parts[0] + 1e-12 * parts[1])
    nearly = (1.0 * parts[0] + 1e-12 * parts[1]).evidence_bound(tiny)
    torch.testing.assert_close(nearly, parts[0].evidence_bound(own), rtol=1e-9, atol=1e-9)
    assert total.evidence == "log p(x,y_observed)"
    check_pair(*pair.programs, *pair.args, objective=total, **pair.kwargs)


def test_sums_are_said_with_a_word():
    config = replace(CONFIG, objective="0.5*ccvae+2*marginal", alpha=7.0, schedule="cosine")
    objective = build_objective(config)
    assert weights_of(objective) == {"weight_1": 0.5, "weight_2": 2.0, "alpha": 7.0}
    weigh(objective, "weight_2", 3.0)
    weigh(objective, "alpha", 1.0)
    assert objective.weighted_parts()[1][0] == 3.0
    assert [part.alpha for part in objective.parts] == [1.0, 1.0]
    again = 2 * objective
    assert [weight for weight, _ in again.weighted_parts()] == [1.0, 6.0]
    with pytest.raises(ValueError, match="stand alone"):
        build_objective(replace(config, objective="0.5*ccvae+pyro:Trace_ELBO", alpha=None))


def test_what_is_made_in_a_file_is_said_with_its_name(tmp_path, monkeypatch):
    """Also a sum, within another; each training has one of its own, whose weights it may change."""
    (tmp_path / "composed_here.py").write_text(
        "from ccvae.inference import CCVAEObjective, MarginalObjective\n\n"
        "both = 0.5 * CCVAEObjective(alpha=7.0) + MarginalObjective(alpha=5.0)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    config = replace(CONFIG, objective="composed_here:both", alpha=None, schedule="cosine")
    first, second = (build_objective(config) for _ in range(2))
    assert [part.alpha for part in first.parts] == [7.0, 5.0]
    weigh(first, "weight_2", 9.0)
    assert list(second.weights.values()) == [0.5, 1.0]
    assert settled_alpha(config) is None  # no rule changes what is made already
    nested = build_objective(replace(config, objective="2*composed_here:both+marginal"))
    assert list(nested.weights.values()) == [1.0, 2.0, 1.0]
    for other in (replace(config, alpha=3.0), replace(config, objective="composed_here:both(3)")):
        with pytest.raises(ValueError, match="is made already and takes no"):
            build_objective(other)
    sys.modules.pop("composed_here")


def settled_alpha(config):
    return objective_class(config).suggested_alpha(100, 10)


def test_a_sum_trains_and_its_weights_move(tmp_path, data):
    config = replace(
        CONFIG,
        objective="0.5*ccvae+1*our-adapted-diva",
        schedule="weight_1=linear:1:0.1:3,alpha=constant:20",
    )
    trained(config, data, tmp_path / "run", [4])
    line = json.loads((tmp_path / "run/steps.jsonl").read_text().splitlines()[-1])
    assert line["weight_1"] == pytest.approx(0.1)
    assert line["alpha"] == 20.0
    assert line["bound"] < 0
    assert "weight_1 log p(x|z)" in line
