"""Every study on a run of every program, by the command: a section, or one line why not."""

import json

import pytest
import torch

from ccvae.config import Config
from ccvae.data.spec import load
from ccvae.inference.catalogue import PROGRAMS
from ccvae.inference.runs import checks
from ccvae.inference.runs import run as runs
from ccvae.inference.runs.run import create
from ccvae.inference.training.checkpoint import save_checkpoint
from ccvae.studies.matching import study as matching
from ccvae.studies.matching.matchers import SiftMatcher
from ccvae.studies.report.conduct import STUDIES, applies

from ..calling import call


@pytest.fixture(autouse=True)
def _quick(monkeypatch, brief_classifiers):
    monkeypatch.setattr(matching, "find_matcher", lambda *_: SiftMatcher())


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """Makes the directory of a run with initial weights."""

    def make(program):
        config = Config(program, data="faces:60", only="Smiling,Hair", network="mlp", epochs=1)
        directory = tmp_path_factory.mktemp("runs") / "my run"
        run = create(config, load(config.data, config.only), directory, torch.device("cpu"))
        facts = {"epoch": 1, "done": 0, "total": 0, "totals": {}}
        save_checkpoint(directory / runs.CHECKPOINT, run.modules, None, **facts)
        return directory

    return make


@pytest.mark.parametrize("program", PROGRAMS)
def test_all_studies_of_a_program_load_its_data_once(untrained, capsys, monkeypatch, program):
    directory, loaded = untrained(program), []

    def counted(*source):
        loaded.append(source)
        return load(*source)

    monkeypatch.setattr(checks, "load", counted)
    status, out, err = call(capsys, "study", "all", directory, "--json")
    assert status == 0, err
    assert len(loaded) == 1
    found = json.loads(out)["studies"]
    assert set(found) == {name for name in STUDIES if applies(name, program)}
    assert all(section["pictures"] for section in found.values())
    page = (directory / "report.html").read_text()
    assert all(f'id="{name}"' in page for name in found)
    assert ("Plain classifier" in page) is (program != "vae")


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name != "ccvae"])
def test_one_study_of_a_program_is_a_section_or_a_line(untrained, capsys, program):
    directory = untrained(program)
    for name in STUDIES:
        status, out, err = call(capsys, "study", name, directory, "--json")
        if applies(name, program):
            assert (status, list(json.loads(out)["studies"])) == (0, [name]), err
        else:
            assert (status, out, err.count("\n")) == (2, "", 1)
            assert f"needs a run of ccvae, this one is of {program}" in err
