"""Inspections of the suite's programs, small and fast."""

import pytest

from ccvae.config import Config
from ccvae.inspection import inspect_program


@pytest.fixture
def inspected():
    """Inspects a program by name on faces with two binary labels and Hair."""

    def build(program, objective="", labels="some"):
        config = Config(program=program, objective=objective, network="mlp", style=2)
        return inspect_program(config, labels)

    return build
