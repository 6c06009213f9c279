"""The documentation: it builds without a warning, and every code block of a page is run.

The blocks of a page run one after the other in an empty folder, as a reader would enter them:

- ``python`` blocks share their names; one that begins with ``# NAME.py`` is saved under that name;
- ``pycon`` blocks are sessions whose output is compared;
- ``console`` blocks are commands after ``$``, with what they print. Where this is a complaint of
  the command's, it has to end with status 2.

A block after ``<!-- not run: why -->`` is left out.
"""

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from ccvae.cli import main
from ccvae.inference.catalogue import ENTRIES, PROGRAMS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

PAGES = sorted(
    str(page.relative_to(DOCS))
    for page in DOCS.rglob("*.md")
    if not {"generated", "build"} & set(page.parts)
)


class Block(NamedTuple):
    language: str
    text: str


def blocks(page):
    """The blocks of a page that are to be run."""
    pattern = r"(<!-- not run: [^>]+-->\n\n?)?^```(python|pycon|console)\n(.*?)^```$"
    found = re.findall(pattern, (DOCS / page).read_text(), re.S | re.M)
    return [Block(language, text) for why, language, text in found if not why]


def run_python(text, names):
    saved = re.match(r"# (\w+\.py)\n", text)
    if saved:
        Path(saved[1]).write_text(text)
    else:
        exec(text, names)


def run_session(text, names):
    session = doctest.DocTestParser().get_doctest(text, names, "session", None, 0)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    complaints = []
    runner.run(session, out=complaints.append, clear_globs=False)
    names.update(session.globs)
    assert not runner.failures, "".join(complaints)


def run_commands(text, capfd):
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, shown = part.replace("\\\n", "").partition("\n")
        program, *arguments = shlex.split(command, comments=True)
        capfd.readouterr()
        if program == "ccvae":
            try:
                status = main(arguments)
            except SystemExit as stop:
                status = stop.code
        else:
            assert program == "python", f"mark what is not run: {command}"
            status = subprocess.run([sys.executable, *arguments]).returncode
        out, err = capfd.readouterr()
        refused = re.match(r"ccvae \w+: ", shown)
        assert status == (2 if refused else 0), (command, out, err)
        got = err if refused else out
        if shown:
            checker = doctest.OutputChecker()
            assert checker.check_output(shown, got, FLAGS), f"{command}\n{shown}\nbut got\n{got}"


@pytest.fixture
def _same_catalogue():
    """What a page registers is forgotten with it."""
    before = [(table, dict(table)) for table in (ENTRIES, PROGRAMS)]
    yield
    for table, content in before:
        table.clear()
        table.update(content)


@pytest.mark.usefixtures("_same_catalogue")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)])
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    names = {"__name__": "__main__"}
    torch.manual_seed(0)
    for block in blocks(page):
        if block.language == "python":
            run_python(block.text, names)
        elif block.language == "pycon":
            run_session(block.text, names)
        else:
            run_commands(block.text, capfd)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) == str(tmp_path / f"{name}.py"):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES)
def test_commands_stand_in_blocks_that_are_run(page):
    lines = (DOCS / page).read_text().splitlines()
    assert not [line for line in lines if re.match(r" {4,}(ccvae|python|make) ", line)]


def test_it_builds_without_a_warning(tmp_path):
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("generated", "build"))
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    built = subprocess.run(
        [*command, tmp_path / "docs", tmp_path / "html"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert built.returncode == 0, built.stderr
    commands = (tmp_path / "html/reference/command-line.html").read_text()
    assert "--patience INT" in re.sub("<[^>]+>", "", commands)
    assert (tmp_path / "html/reference/generated/ccvae.models.diva.html").exists()


@pytest.mark.parametrize("page", [*(DOCS / page for page in PAGES), ROOT / "README.md"], ids=str)
def test_links_lead_to_files(page):
    """On GitHub too, where a page is read without having been built."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target
