"""Runs to show, a page to ask, and a server of its own for browsers."""

import io
import json
import subprocess
import sys
from contextlib import contextmanager

import pytest
import torch
from PIL import Image

from ccvae.config import Config
from ccvae.data.spec import load
from ccvae.inference.runs.run import create
from ccvae.web import export as exporting
from ccvae.web.server import Pages, build_app

from .asking import Client


def make_run(directory, data="faces:24", **options):
    """An untrained run with small networks."""
    config = Config(data=data, network="mlp", style=3, **options)
    return create(config, load(config.data, config.only), directory, torch.device("cpu"))


def client_of(run):
    return Client(build_app(run))


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    torch.manual_seed(0)
    return make_run(
        tmp_path_factory.mktemp("faces"), only="Smiling,Hair,Young", likelihood="normal"
    )


@pytest.fixture(scope="session")
def page(run):
    return client_of(run)


@pytest.fixture(scope="session")
def picture():
    """Image files of a size and a format."""

    def make(size=(40, 30), form="PNG", mode="RGB", colour=None, **options):
        image = Image.new(mode, size, colour or 0)
        if colour is None and mode == "RGB":
            image = Image.radial_gradient("L").resize(size).convert("RGB")
        buffer = io.BytesIO()
        image.save(buffer, form, **options)
        return buffer.getvalue()

    return make


@contextmanager
def served(*arguments):
    """``ccvae app`` on a free port; gives its address."""
    command = [sys.executable, "-m", "ccvae", "app", *arguments, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("}"):
                break
        try:
            yield json.loads("".join(lines))["url"]
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def address():
    """The page as it comes, with the run that the package carries."""
    with served() as url:
        yield url


@pytest.fixture(scope="session")
def exported(run, tmp_path_factory):
    """A small folder: one training of a few steps, one face with three positions of each slider."""
    target = tmp_path_factory.mktemp("exported") / "page"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exporting, "PAIRS", exporting.PAIRS[:1])
        patched.setattr(exporting, "STEPS", 10)
        patched.setattr(exporting, "FACES", 1)
        patched.setattr(exporting, "POSITIONS", 3)
        patched.setattr(exporting, "PATTERNS", ("some",))
        written = exporting.export(Pages(run), target)
    assert written["files"] == sum(path.is_file() for path in target.rglob("*"))
    return target
