"""Any byte of a comparison's files may be wrong: what changed is not believed, and all goes on."""

import json
import math
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings

from ccvae.cli import main
from ccvae.studies.comparing import spec
from ccvae.studies.comparing.beginning import noted
from ccvae.studies.comparing.cost import cost_of
from ccvae.studies.comparing.spec import read_spec
from ccvae.studies.comparing.training import kept

from ..calling import call, gray_images
from ..mutations import MUTATIONS, mutated, put

ASKED = ["compare", "--data", "images:ph", "--image-size", "8", "--network", "mlp", "--style", "2"]
ASKED += [
    "--labelled",
    "1",
    "--epochs",
    "1",
    "--batch-size",
    "8",
    "--programs",
    "m2",
    "--seeds",
    "1",
]
ASKED += ["--threads", "1", "--out", "c"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A small comparison in the folder ``c``, and what it says its cells were asked for."""
    found = tmp_path_factory.mktemp("compared")
    patch = pytest.MonkeyPatch()
    patch.chdir(found)
    patch.setenv("CCVAE_CACHE", str(found / "cache"))
    gray_images(A=lambda i: i % 2)
    assert main(ASKED) == 0
    yield found
    patch.undo()


class Asking:
    """A cell's task, as far as what is kept of it is concerned."""

    def __init__(self, file):
        self.directory, self.asked = file.parent, json.loads(file.read_bytes())["asked"]


def changed(path, check):
    """Check a file of the comparison under many mutations; it is as before afterwards."""
    content = path.read_bytes()

    @settings(
        max_examples=250,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutation=MUTATIONS)
    def under(mutation):
        put(path, mutated(content, mutation))
        check()

    try:
        under()
    finally:
        put(path, content)


def body(document):
    """What a document says beside its seal, whatever became of that one's name."""
    return dict(list(document.items())[:-1])


def test_what_a_folder_notes_is_believed_as_it_was_written(place):
    before = body(noted(place / "c"))

    def check():
        found = noted(place / "c")
        assert found is None or body(found) == before

    changed(place / "c/comparison.json", check)


def test_a_specification_that_changed_is_said_to_be_another(place, monkeypatch):
    path, said = place / "c/comparison.json", []
    monkeypatch.setattr(spec, "say", said.append)
    whole = read_spec(str(path))
    assert not said

    def read():
        try:
            return read_spec(str(path)), ""
        except ValueError as error:
            return None, str(error)

    def check():
        said.clear()
        found, reason = read()
        if reason:
            assert str(path) in reason
            assert "\n" not in reason
        else:
            assert found == whole or "is not as it was written" in said[0]

    changed(path, check)


def test_what_was_measured_is_believed_as_it_was_written(place):
    for path in (place / "c/runs").glob("*/measured.json"):
        changed(path, partial(_kept, Asking(path), json.loads(path.read_bytes())))


def _kept(task, before):
    assert kept(task) in (None, before)


def test_a_cost_is_believed_as_it_was_written(place):
    path = next((place / "c/runs").glob("m2*/cost.json"))
    before = cost_of(path.parent)
    assert before["seconds"] > 0

    def check():
        found = cost_of(path.parent)
        assert found == before or all(map(math.isnan, found.values()))

    changed(path, check)


def test_a_damaged_comparison_goes_on_to_the_same_tables(place, capsys):
    table = (place / "c/table.csv").read_bytes()
    for path in ("c/comparison.json", *(place / "c/runs").glob("*/cost.json")):
        (place / path).write_bytes(b"[" * 100_000)
    run = next((place / "c/runs").glob("m2*"))
    whole = (run / "checkpoint.safetensors").read_bytes()
    (run / "checkpoint.safetensors").write_bytes(whole[:-9] + b"\xff" + whole[-8:])
    (run / "measured.json").write_bytes(b'{"test": {}}')
    status, out, err = call(capsys, *ASKED)
    assert status == 0, err
    assert "comparison.json is not as it was written; it is made anew" in err
    assert "checkpoint.safetensors is not as it was written; m2" in err
    assert "is trained from its start" in err
    assert "failed" not in out + err
    assert (place / "c/table.csv").read_bytes() == table
    assert (run / "checkpoint.safetensors").read_bytes() == whole
    assert noted(place / "c") is not None


@pytest.mark.parametrize("content", ['{"mine": 1}', "[1, 2]", "not JSON"])
def test_somebody_elses_file_of_that_name_is_left_alone(place, capsys, content):
    folder = place / "theirs"
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    (folder / "comparison.json").write_text(content)
    (folder / "runs/mine.txt").write_text("mine")
    status, out, err = call(capsys, *ASKED[:-1], "theirs")
    assert (status, out) == (2, "")
    assert "theirs is not empty and holds no comparison" in err
    assert (folder / "comparison.json").read_text() == content
