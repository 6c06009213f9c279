"""The lessons run from top to bottom, solutions included, and become notebooks."""

import runpy
from pathlib import Path

import jupytext
import matplotlib
import matplotlib.pyplot as plt
import pytest

LESSONS = sorted((Path(__file__).parent.parent / "lessons").glob("*.py"))


def test_there_are_four():
    assert [lesson.name[0] for lesson in LESSONS] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_runs(lesson, monkeypatch, tmp_path):
    monkeypatch.setenv("CCVAE_SMALL", "1")
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    runpy.run_path(str(lesson))
    assert plt.get_fignums()
    plt.close("all")
    assert not list(tmp_path.iterdir())  # a lesson leaves nothing behind


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_becomes_a_notebook(lesson):
    cells = jupytext.read(lesson).cells
    headings = [
        line
        for cell in cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("#")
    ]
    assert headings[0].startswith(f"# Lesson {lesson.name[0]}.")
    assert {"## Exercises", "## Solutions"} <= set(headings)
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    exercises, solutions = text.split("## Solutions")
    for number in range(1, 10):
        asked = f"**{lesson.name[0]}.{number}*" in exercises
        assert asked == (f"**{lesson.name[0]}.{number}**" in solutions)
