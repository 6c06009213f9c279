"""Moments that are exact after an epoch."""

import pytest
import torch

from ccvae.config import Config
from ccvae.data.faces import faces
from ccvae.inference.runs.fitting import fit
from ccvae.inference.runs.precise import make_exact
from ccvae.inference.runs.run import create, training_rows
from ccvae.inference.training.validation import split


@pytest.fixture(scope="module", params=["last", "best"])
def trained(request, tmp_path_factory):
    config = Config(
        network="local", style=3, epochs=2, batch_size=20, alpha=10.0, keep=request.param
    )
    dataset = faces(100, pixels=16)
    run = create(config, dataset, tmp_path_factory.mktemp("run"), torch.device("cpu"))
    rows = training_rows(run.config, dataset)
    for _ in fit(run, rows, resume=False):
        pass
    return run, split(run.config, rows).train


def test_what_is_kept_has_the_moments_of_all_training_rows(trained):
    run, rows = trained
    kept = run.guide.encoder
    said = kept.said(kept.encoder(rows.batch(torch.arange(len(rows))).x)[0][:, : kept.dimensions])
    torch.testing.assert_close(kept.mean[: kept.numbers], said.mean(0).detach())


def test_the_kept_style_is_uncorrelated_with_what_blocks_say(trained):
    run, rows = trained
    encoder = run.guide.eval().encoder
    loc = encoder(rows.batch(torch.arange(len(rows))).x)[0].detach()
    blocks, style = loc.tensor_split([encoder.dimensions], -1)
    both = torch.cat([encoder.said(blocks), style], -1).T.cov()[: encoder.numbers]
    found = both[:, encoder.numbers :].abs().max()
    assert found < 0.05 * (encoder.product[:, encoder.numbers :].abs().max() + 1e-3)


def test_moments_do_not_depend_on_how_rows_are_grouped(trained, monkeypatch):
    run, rows = trained
    before = run.guide.encoder.product.clone()
    monkeypatch.setattr("ccvae.inference.runs.precise.ROWS", 7)
    make_exact(run.guide, rows, run.device)
    torch.testing.assert_close(run.guide.encoder.product, before)
