"""What all tests share."""

import pyro
import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _clean_pyro():
    """Every test has Pyro's global state to itself."""
    pyro.clear_param_store()
    torch.manual_seed(0)
    with pyro.validation_enabled(True):
        yield
    pyro.clear_param_store()


@pytest.fixture
def brief_classifiers(monkeypatch):
    """Plain classifiers take a run's own steps, and not at least 600."""
    monkeypatch.setattr("ccvae.inference.training.baselines.CLASSIFIER_STEPS", 1)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Tests never read or write the user's cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv("CCVAE_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()
