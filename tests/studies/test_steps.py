"""Studies of labels with an order: numbers are looked at in steps, in their own units."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ccvae.config import Config
from ccvae.data import Binary, Categorical, Dataset, LabelSpace, Ordinal, Real
from ccvae.guides import NumberPrediction
from ccvae.inference.runs.evaluation import evaluate_run
from ccvae.inference.runs.run import create
from ccvae.studies import Subject, embedding, generation, traversal
from ccvae.studies.reading.blocks import class_means, find_block
from ccvae.studies.reading.judge import train_judge
from ccvae.studies.reading.latents import draws
from ccvae.studies.reading.steps import Steps, code_of, in_steps, probabilities, rounded, steps_of
from ccvae.studies.report.conduct import STUDIES, conduct
from ccvae.studies.report.report import write_report
from ccvae.studies.report.sliders import write_sliders

AGE = Real("Age", mean=40.0, scale=20.0)
STAGE = Ordinal("Stage", ("I", "II", "III"))
SLOW = ("matching", "disentanglement", "locality", "reconstruction")
"""Studies that take long, or in which labels play no part."""
SPACE = LabelSpace([AGE, Binary("Smiling"), STAGE, Categorical("Hair", ("x", "y", "z"))])


@pytest.fixture
def run(tmp_path):
    """An untrained run with a label of each kind; some are missing."""
    torch.manual_seed(2)
    rows = 48
    images = torch.randint(0, 256, (rows, 3, 8, 8), dtype=torch.uint8)
    each = torch.arange(rows) // 2
    labels = torch.stack([torch.randn(rows), each % 2, each % 3, each % 3], -1).float()
    labels[::5] = torch.nan
    every = torch.arange(rows)
    data = Dataset("made", images, labels, None, SPACE, every[::2], every[1::2])
    config = Config(network="mlp", style=3, alpha=30.0, epochs=1, batch_size=8, lr=1e-3)
    run = create(config, data, tmp_path / "run", torch.device("cpu"))
    run.data = lambda: (data.training(0.5, 0), data.subset(data.test))
    return run


@pytest.fixture
def subject(run):
    train, test = run.data()
    judge = train_judge(dataclasses.replace(run.config, batch_size=24), train)
    return Subject(run.model, run.guide, test, judge=judge)


def test_numbers_are_seen_in_steps(subject):
    label = subject.space.labels[0]
    assert isinstance(label, Steps)
    numbers = [float(name) for name in label.classes]
    assert numbers == sorted(numbers)
    assert all(number % 5 == 0 for number in numbers)
    raw, seen = subject.codes(subject.rows)[:, 0], subject.rows.labels[:, 0]
    assert raw.isnan().equal(seen.isnan())
    for code, step in zip(raw.tolist(), seen.tolist(), strict=True):
        if code == code:
            away = [abs(AGE.to_units(code) - number) for number in numbers]
            assert away[int(step)] == pytest.approx(min(away), abs=1e-4)
    again = dataclasses.replace(subject, rows=subject.rows.first(5))
    assert again.space is subject.space
    assert again.codes(again.rows)[:, 0].nan_to_num().equal(raw[:5].nan_to_num())


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30), st.floats(-90, 90), st.floats(0.1, 50))
def test_steps_increase_and_share_out_all_probability(codes, mean, scale):
    label = steps_of(Real("x", mean, scale), torch.tensor(codes))
    assert 2 <= len(label.classes) <= 5
    assert all(a < b for a, b in zip(label.codes, label.codes[1:], strict=False))
    own = torch.tensor(label.codes)
    assert label.of(own).tolist() == list(range(len(own)))
    said = NumberPrediction(torch.randn(4, 1), torch.rand(4, 1) + 0.1)
    q = probabilities(said, 0, label)
    torch.testing.assert_close(q.sum(-1), torch.ones(4))
    assert [code_of(label, k) for k in range(len(own))] == list(label.codes)


@pytest.mark.parametrize(
    ("number", "scale", "expected"),
    [(33.2, 19.8, 35.0), (0.347, 0.05, 0.35), (71_234.0, 9_000.0, 72_000.0), (-2.3, 8.0, -2.0)],
)
def test_steps_are_round_numbers(number, scale, expected):
    assert rounded(number, scale) == expected


def test_a_number_is_given_and_moved_in_units(subject):
    label, position = subject.space.labels[0], subject.space.index("Age")
    means = class_means(subject.model, subject.space, "Age")
    prior = subject.model.prior[-1]
    expected = prior.slope[0] * torch.tensor(label.codes)[:, None] + prior.intercept[0]
    torch.testing.assert_close(means, expected.detach())
    assert find_block(subject.space, "Age").site == "z_c_real"
    assert find_block(subject.space, "Stage").site == "z_c_ordinal3"
    batch = subject.some(4)
    asked = generation.given(subject.space, "Age", 1, batch)
    assert asked.y[:, position].tolist() == pytest.approx([label.codes[1]] * 4)
    assert asked.y[:, 1:].isnan().all()
    plain = generation.given(SPACE, "Age", AGE.from_units(70.0), batch)
    assert plain.y[:, position].tolist() == [1.5] * 4
    image = generation.generate(subject.model, SPACE, "Age", 1.5, batch)
    assert image.shape == batch.x.shape
    walk = traversal.traverse(subject, batch, "Age")
    ages = subject.number(walk.images[:, 0], "Age")
    torch.testing.assert_close(walk.belief[:, 0], ages)
    assert walk.stops.count(None) + len(label.classes) == len(walk.stops)
    with pytest.raises(ValueError, match="expected a real label"):
        subject.number(batch.x, "Stage")


def test_an_ordered_label_lies_along_its_block(subject):
    space, rows = subject.space, subject.rows
    found = draws(subject)
    codes = torch.randn(len(rows), len(space))
    codes[:, 0] = 3 * found.blocks["Age"][:, 0] + 1
    codes[:, 2] = -found.blocks["Stage"][:, 0]
    codes[:, 3] = torch.arange(len(rows)) % 3
    table = embedding.measure(space, found, codes)
    for name in ("Age", "Stage"):
        assert table[name].measure == "correlation"
        assert table[name].block == pytest.approx(1, abs=1e-6)
        assert table[name].style < 0.9
    assert table["Hair"].measure == "silhouette"
    assert in_steps(SPACE, codes).equal(codes)


def test_every_study_takes_every_kind(run, subject):
    """Their pictures are drawn, their figures are kept, and the report has them."""
    for name in STUDIES:
        if name not in SLOW:
            section = conduct(run, name, subject)
            assert section is not None, name
            assert section.pictures, name
    evaluation = evaluate_run(run)
    page = write_report(run, evaluation).read_text()
    assert "Age" in page
    assert "Age, in its units" in page
    assert "Stage, in classes" in page
    assert write_sliders(run.directory, subject, "t") is not None
    for of in ("", "classifier_", "majority_"):
        assert set(evaluation[f"{of}error_by_label"]) == {"Age", "Stage"}
        assert set(evaluation[f"{of}r2_by_label"]) == {"Age"}
    assert set(evaluation["accuracy_by_label"]) == {"Smiling", "Stage", "Hair"}
