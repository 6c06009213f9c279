"""What ``make bench`` prints of CC-VAE's gradient: the truth, the bias, and the table."""

import pyro
import pytest
import torch

from ccvae.benchmarks import gradients
from ccvae.benchmarks.gradients import Moments, bias, biases, estimators
from ccvae.benchmarks.quadrature import by_quadrature, linear
from ccvae.inference import CCVAEObjective

LABELS, STYLE, ROWS = 3, 2, 4


@pytest.fixture(params=["probit", "logit"])
def case(request):
    x, y = torch.rand(ROWS, 1, 8, 8), torch.randint(2, (ROWS, LABELS)).float()
    with pyro.settings.context(module_local_params=True):
        yield linear(x, y, request.param, STYLE)


def test_quadrature_is_the_mean_of_the_exact_objective(case):
    copies = 500
    many = case._replace(x=case.x.repeat(copies, 1, 1, 1), y=case.y.repeat(copies, 1))
    with torch.no_grad():
        losses = torch.stack([many.loss(CCVAEObjective(alpha=1.0)) / copies for _ in range(10)])
        error = losses.std() / 10**0.5
        assert (losses.mean() - by_quadrature(case)).abs() < 4 * error
        assert error < 0.2


def test_only_the_exact_estimator_has_no_bias(case):
    found = biases(case, estimators(samples=5), 100)
    assert abs(found["exact"].errors) < 3.5
    assert found["one draw"].errors > 4
    assert found["half-detached"].errors > 5


def test_the_bias_of_one_draw_falls_with_the_samples_of_q_y_x(case):
    found = biases(case, {"one draw": estimators(samples=2_000)["one draw"]}, 100)
    assert abs(found["one draw"].errors) < 3.5


@pytest.mark.parametrize("size", [0.0, 0.2])
def test_bias_of_vectors_whose_bias_is_known(size):
    truth = torch.randn(100).double()
    offset = size * truth.norm() * torch.nn.functional.normalize(torch.randn(100).double(), dim=0)
    found = bias(truth + offset + 0.2 * torch.randn(50, 100).double(), truth)
    assert found.size == pytest.approx(size, abs=0.03)
    assert (found.errors > 10) == (size > 0)
    assert found.variance == pytest.approx(100 * 0.2**2, rel=0.1)


def test_moments_are_those_of_all_vectors():
    vectors = torch.randn(7, 5).double()
    moments = Moments()
    for vector in vectors:
        moments.add(vector)
    assert moments.variance() == pytest.approx(vectors.var(0).sum().item())


def test_the_table(capsys, monkeypatch):
    monkeypatch.setattr(gradients, "BATCH", 6)
    monkeypatch.setattr(gradients, "BLOCKS", 2)
    monkeypatch.setattr("ccvae.benchmarks.timing.LEAST", 2)
    gradients.main(["--seconds", "0", "--repetitions", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2 * len(estimators())
    for line in lines[2:]:
        assert float(line.split()[-4]) > 0
