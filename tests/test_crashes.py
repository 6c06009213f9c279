"""Killed at any moment, a command loses nothing of the user's, and goes on when repeated."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ccvae
from ccvae import commands, files
from ccvae.cli import main
from ccvae.config import Config

from .calling import call


class Killed(BaseException):
    """Ends a command as a signal would that nobody handles."""


class Killer:
    """Ends a command of ours the moment before one of its files takes its place."""

    def __init__(self, monkeypatch, after):
        self.left, self.replace = after, os.replace
        monkeypatch.setattr(files.os, "replace", self)

    def __call__(self, source, target):
        self.left -= 1
        if self.left == 0:
            raise Killed
        self.replace(source, target)


@pytest.fixture
def place(tmp_path, monkeypatch, brief_classifiers):
    """A working directory with something of the user's in it, and a small demo."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CCVAE_CACHE", str(tmp_path / "cache"))
    config = Config(
        data="faces:72", network="mlp", epochs=2, batch_size=30, only="Smiling,Hair", alpha=9.0
    )
    monkeypatch.setattr(commands, "DEMO", config)
    (tmp_path / "thesis.tex").write_text("mine")
    return tmp_path


TRAIN = ["train", "--data", "faces:72", "--only", "Smiling", "--network", "mlp", "--epochs", "3"]
COMMANDS = {
    "train": [*TRAIN, "--batch-size", "30", "--out", "r", "--resume"],
    "demo": ["demo", "--out", "d"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_every_write_it_goes_on(place, monkeypatch, name):
    kills = 0
    for after in (1, 2, 2, 3, 4, 7, 30):
        with monkeypatch.context() as patch:
            killer = Killer(patch, after)
            try:
                status = main(COMMANDS[name])
            except Killed:
                kills += 1
                continue
            assert status == 0
            assert killer.left > 0
            break
    assert kills >= 3
    assert main(COMMANDS[name]) == 0
    assert (place / "thesis.tex").read_text() == "mine"
    directory = COMMANDS[name][COMMANDS[name].index("--out") + 1]
    lines = (place / directory / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == list(range(len(lines)))


def test_a_study_that_was_killed_is_made_again(place, monkeypatch, capsys):
    assert main([*COMMANDS["train"][:-1]]) == 0
    for after in (1, 2, 3):
        with monkeypatch.context() as patch:
            Killer(patch, after)
            try:
                main(["study", "beliefs", "r"])
            except Killed:
                capsys.readouterr()
                assert json.loads((place / "r/config.json").read_text())
    status, _, err = call(capsys, "study", "beliefs", "r")
    assert status == 0, err


def test_twenty_sigkills_while_a_cache_is_built(place):
    """A real signal, each a little later in the building."""
    (place / "ph").mkdir()
    program = (
        "import os, signal, sys; from pathlib import Path; from PIL import Image\n"
        "from ccvae.data import cache; from ccvae.data.decode import Decoding\n"
        "names = [f'{i}.png' for i in range(30)]\n"
        "for i, n in enumerate(names): Image.new('RGB', (8, 8), (i, i, i)).save(Path('ph', n))\n"
        "times = [os.utime(Path('ph', n), (1, 1)) for n in names]; inner = cache.decode\n"
        "cache.CHUNK, left = 3, [0]\n"
        "def decode(*a):\n"
        "    left[0] -= 1\n"
        "    if left[0] == 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return inner(*a)\n"
        "cache.decode = decode\n"
        "for after in range(1, 21):\n"
        "    left[0] = after\n"
        "    if os.fork() == 0:\n"
        "        cache.decoded(Path('ph'), names, Decoding(8)); os._exit(0)\n"
        "    assert os.WTERMSIG(os.wait()[1]) == signal.SIGKILL\n"
        "left[0] = 0\n"
        "found = cache.decoded(Path('ph'), names, Decoding(8))\n"
        "assert found.images.amax((1, 2, 3)).tolist() == list(range(30))\n"
    )
    root = str(Path(ccvae.__file__).parent.parent.resolve())
    environment = {**os.environ, "PYTHONPATH": root}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    kept = sorted(path.suffix for path in (place / "cache").iterdir())
    assert kept == [".bytes", ".json", ".lock"]
