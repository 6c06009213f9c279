"""The lessons run as notebooks from top to bottom, solutions included, and say what they print."""

import sys
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "lessons").glob("[0-9]*.py"))

sys.path.append(str(ROOT / "docs"))
import notebooks  # noqa: E402

WHOLE = ("0_graphs",)
"""Lessons that train nothing and are run at their full size."""


@pytest.fixture(scope="module", params=LESSONS, ids=lambda lesson: lesson.stem)
def executed(request, tmp_path_factory):
    """A lesson's notebook with its outputs."""
    lesson = request.param
    folder = tmp_path_factory.mktemp(lesson.stem)
    found = notebooks.notebook(lesson)
    notebooks.execute(found, folder, small=lesson.stem not in WHOLE, seconds=300)
    assert not list(folder.iterdir())  # a lesson leaves nothing behind
    return lesson, found


def test_there_are_seven():
    assert [lesson.name[0] for lesson in LESSONS] == [*"0123456"]


def test_a_lesson_runs_as_a_notebook(executed, tmp_path):
    lesson, found = executed
    outputs = [output for cell in found.cells for output in cell.get("outputs", [])]
    shown = [output.data for output in outputs if "data" in output]
    assert any("image/png" in data or "text/html" in data for data in shown)
    assert notebooks.printed(found.cells).strip()
    for data in shown:
        assert len(data.get("text/plain", "")) < 5_000  # no dump
        assert len(data.get("text/html", "")) < 400_000
    answered = [c for c in found.cells if "solution" in c.metadata.get("tags", [])]
    assert "not yet" not in notebooks.printed(answered)
    said = [output.text for output in outputs if output.get("name") == "stderr"]
    assert not [text for text in said if "Error" in text]
    if lesson.stem in WHOLE:
        assert not notebooks.unprinted(found)
    notebooks.write(found, lesson.stem, tmp_path)
    slides = (tmp_path / f"{lesson.stem}.slides.html").read_text()
    told = [c for c in found.cells if c.metadata["slideshow"]["slide_type"] == "slide"]
    assert slides.count("<section>") >= 2 * len(told)  # reveal.js wants each within another
    assert "Solutions</h2>" not in slides.replace("&#182;", "")
    nbformat.validate(nbformat.read(tmp_path / f"{lesson.stem}.ipynb", 4))


def test_a_number_that_was_not_printed_is_found(executed):
    lesson, found = executed
    if lesson.stem not in WHOLE:
        pytest.skip("its numbers mean nothing at this size")
    wrong = deepcopy(found)
    for cell in wrong.cells:
        cell.source = cell.source.replace("0.973", "0.970")
    assert [line[:5] for line in notebooks.unprinted(wrong)] == ["0.970"]
    wrong.cells[
        -2
    ].source += "\n<!-- says: printed('rain, cloudy') > printed('rain, cloudy and') -->"
    assert len(notebooks.unprinted(wrong)) == 2


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_text_names_what_was_printed(lesson):
    """At full size, by what was kept of it; a lesson whose code has changed since is refused."""
    found = notebooks.kept(lesson)
    assert not notebooks.unprinted(found)
    assert notebooks.printed(found.cells).strip()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_each_exercise_has_a_cell_that_checks_an_answer(lesson):
    cells = notebooks.notebook(lesson).cells
    start = next(i for i, c in enumerate(cells) if "## Exercises" in c.source)
    end = next(i for i, c in enumerate(cells) if c.source.startswith("## Solutions"))
    for cell, after in zip(cells[start:end], cells[start + 1 : end], strict=False):
        if cell.cell_type == "markdown" and f"**{lesson.name[0]}." in cell.source:
            assert after.cell_type == "code"
            assert "right" in after.source or "check" in after.source, cell.source


def test_what_other_code_printed_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(notebooks, "PRINTED", tmp_path)
    made = notebooks.notebook(LESSONS[0])
    notebooks.keep(made, LESSONS[0].stem)
    notebooks.kept(LESSONS[0])
    path = tmp_path / f"{LESSONS[0].stem}.json"
    path.write_text(path.read_text().replace(notebooks.code_of(made), "0"))
    with pytest.raises(ValueError, match="make lessons LESSON="):
        notebooks.kept(LESSONS[0])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_has_its_parts(lesson):
    cells = notebooks.notebook(lesson).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    headings = [line for text in texts for line in text.splitlines() if line.startswith("#")]
    sections = [text for text in texts if text.startswith("## ")]
    assert len(sections) == sum(line.startswith("## ") for line in headings) >= 7
    assert headings[0].startswith(f"# Lesson {lesson.name[0]}.")
    assert {"## Exercises", "## Solutions"} <= set(headings)
    exercises, solutions = "\n".join(texts).split("## Solutions")
    for number in range(1, 10):
        asked = f"**{lesson.name[0]}.{number}*" in exercises
        assert asked == (f"**{lesson.name[0]}.{number}**" in solutions)
    folded = [cell for cell in cells if "solution" in cell.metadata.get("tags", [])]
    assert folded
    assert all(cell.metadata["jupyter"]["source_hidden"] for cell in folded)
    assert [c.metadata.get("jp-MarkdownHeadingCollapsed") for c in cells].count(True) == 1
