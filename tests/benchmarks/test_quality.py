"""The curve of a training against processor time does not disturb it."""

import torch

from ccvae.benchmarks.quality import Point, curve, first, main
from ccvae.config import Config
from ccvae.data.spec import load
from ccvae.inference.evaluation.evaluating import evaluate
from ccvae.inference.runs.fitting import train_once

CONFIG = Config(data="faces:72", network="mlp", style=2, epochs=2, batch_size=20)


def test_looks_leave_no_trace_in_the_training():
    data = load(CONFIG.data)
    points = curve(CONFIG, data, 0.5)
    assert [p.epochs for p in points] == sorted(p.epochs for p in points)
    assert [p.seconds for p in points] == sorted(p.seconds for p in points)
    run = train_once(CONFIG, data, torch.device("cpu"))
    found = evaluate(run.model, run.guide, run.objective, data.subset(data.test), "cpu")
    assert abs(points[-1].l1 - 1000 * found["reconstruction_l1"]) < 1e-3


def test_a_level_is_reached_when_both_figures_are():
    points = [Point(1, 1, 90, 0, 60), Point(2, 2, 80, 0, 50), Point(3, 3, 91, 0, 49)]
    assert first(points, 85, 50) == points[2]
    assert first(points, 95, 50) is None


def test_the_benchmark_prints_a_level_for_each(capsys):
    arguments = ["--data", "faces:72", "--epochs", "1", "--objectives", "ccvae@2x30,ccvae-authors"]
    main(arguments)
    out = capsys.readouterr().out
    assert out.count("| epochs | processor seconds |") == 2
    assert "\n| 2.0 |" in out.partition("## ccvae-authors")[0]
    assert "\n| 2.0 |" not in out.partition("## ccvae-authors")[2]
    assert "| ccvae-authors | " in out.splitlines()[-1]
    assert "not reached" not in out.splitlines()[-1]
