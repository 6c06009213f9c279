"""Reports of a run that is still in training."""

import pytest
import torch

from ccvae.config import Config
from ccvae.data.spec import load
from ccvae.inference.evaluation.evaluating import evaluate, majority
from ccvae.inference.runs.fitting import fit
from ccvae.inference.runs.run import create, training_rows
from ccvae.studies.report.looks import Looks, read
from ccvae.studies.report.report import write_page

CONFIG = Config(
    data="faces:72", only="Smiling,Hair", network="mlp", style=2, epochs=3, batch_size=30, alpha=9.0
)


def train(directory, looking):
    """A run, and what its training logged; with its looks where it is looked at."""
    data = load(CONFIG.data, CONFIG.only)
    run = create(CONFIG, data, directory, torch.device("cpu"))
    looks, reports, logged = Looks(run), [], []
    for metrics in fit(run, training_rows(run.config, data), resume=False):
        logged.append(metrics)
        report = looks.after(int(metrics["epoch"]) + 1) if looking else None
        if report is not None:
            reports.append(report.read_text())
    return run, looks, reports, logged


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "seen", looking=True)


def test_a_run_is_seen_as_it_learns_and_learns_the_same(seen, tmp_path):
    run, looks, (page,), logged = seen
    assert [look.epoch for look in looks.found] == [2]
    assert read(run.directory) == looks.found
    assert "after 2 of its 3 epochs; the page is renewed" in page
    assert 'http-equiv="refresh"' in page
    assert page.index("Taking shape") < page.index("One label changed at a time")
    unseen, *_, without = train(tmp_path / "unseen", looking=False)
    assert without == logged
    for a, b in zip(run.model.parameters(), unseen.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_last_line_says_what_changed_since_the_first_look(seen):
    run, looks, *_ = seen
    train_rows, test_rows = run.data()
    result = evaluate(run.model, run.guide, run.objective, test_rows, run.device)
    first, line = looks.found[0], looks.change(result)
    assert line.startswith("since the first report, after 2 epochs: accuracy ")
    assert f"accuracy {first.accuracy:.3f} → {result['accuracy']:.3f}" in line
    assert f"error {first.reconstruction_l1:.4f} → {result['reconstruction_l1']:.4f}" in line
    assert Looks(run).change(result) == line  # of a training that is taken up
    shapes = [looks.section(3)]
    page = write_page(run, result | majority(train_rows, test_rows), shapes).read_text()
    assert "Taking shape" in page
    assert 'http-equiv="refresh"' not in page
    assert "the page is renewed" not in page


def test_what_is_damaged_is_no_look(tmp_path):
    assert read(tmp_path) == []
    (tmp_path / "looks.json").write_text('[{"epoch": 2}]')
    assert read(tmp_path) == []
