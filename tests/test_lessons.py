"""The lessons run as notebooks from top to bottom, solutions included, and say what they print."""

import sys
from copy import deepcopy
from pathlib import Path

import nbformat
import pyro
import pyro.distributions as dist
import pytest
import torch

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "lessons").glob("[0-9]*.py"))

sys.path.append(str(ROOT / "docs"))
import notebooks  # noqa: E402

WHOLE = ("0_graphs",)
"""Lessons that train nothing and are run at their full size."""


WRONG = {
    "1_plates": """
        check_11: [{"model": "p(z)", "guide": ""}, {}, "p(z)", None]
        check_11: [answer_11 | {"model": answer_11["model"] + " and more"}]
        check_11: [answer_11 | {"model": "p(d|z) " + answer_11["model"]}]
        check_12: [{}, {"direction": True}, "size"]
        check_13: [0.4, "0.4"]
        check_14: [{}, {"ccvae": 21, "m2": 1280, "at most": 1000}, 21]
        lambda by_hand: check_15(m2_model, m2_by_hand_guide, by_hand): [0.0, None]
        lambda model: check_15(model, m2_by_hand_guide, -2.225): [lambda x: None, None]
        lambda guide: check_15(m2_model, guide, -3.238): [even_guide]
    """,
    "2_objectives": """
        check_21: [{"log p(x|z)"}, 5]
        check_22: [None, 5]
        check_23: [0.0, "1", None]
        check_24: [CCVAEAuthorsObjective, CCVAEObjective, None]
    """,
    "3_estimators": """
        check_31: [1.0, "0", None]
        check_32: [1.0, 1 / 3.5, "3", None]
        check_33: [0.0, 0.05, "0.13", None]
        check_34: [{}, {1: 1, 5: 5, 18: 18}, {1: "1"}, 3]
    """,
    "4_interventions": """
        check_41: [5.0, "half", None]
        check_42: ["", "Hats", [1], None]
        check_43: [Frequencies(), None, uneven]
        check_44: [lambda style, y: style, lambda style, y: style + 1, lambda style: style, None]
        check_44: [lambda style, y: 2 * style - answer_44(style, y)]
    """,
    "5_missing": """
        check_51: [0.5, "0.67", None]
        check_52: [{}, {"ccvae": ("foo",), "m2": ()}, {"ccvae": ("x",), "m2": 3}, None]
        check_53: [{}, {0.3: 15, 0.0: 1.4}, {0.3: "15"}, 15]
        check_hidden: [torch.zeros, lambda n: torch.zeros(0), lambda n: 0.01 * torch.ones(n), None]
    """,
    "6_comparing": """
        check_61: [3.0, 1.96, "3.18", None]
        check_62: [12, 14, 12.6, "13", None, 0]
        check_63: [BETA, "", "1 +", None, SHARPER.replace("-self.alpha * d", "0 * d")]
        check_63: [SHARPER.replace("-self.alpha * d", "-d")]
        check_64: [PLAIN, "", "1 +", None]
    """,
}
"""Answers that must not pass, by the checks that look at them, in the words of each lesson."""

NEEDED = {
    "1_plates": """
def even_guide(x):
    pyro.sample("y", dist.Categorical(q_y))
    pyro.sample("z", dist.Normal(0.0, 1.0))
""",
    "4_interventions": """
skewed = (0.6, 0.1, 0.1, 0.1, 0.1)
uneven = Frequencies(**{**vars(equal), "hair_young": skewed, "hair_old": skewed})
""",
    "5_missing": """
def check_hidden(drawn):
    global hidden
    hidden = drawn
    check_54()
""",
}


def wrong_answers(stem):
    """A cell that puts each of them before its check."""
    lines = [line.strip().rpartition(": [") for line in WRONG[stem].strip().splitlines()]
    calls = [
        f"for answer in [{answers}:\n    print('»', {check!r}, answer)\n    ({check})(answer)"
        for check, _, answers in lines
    ]
    cell = nbformat.v4.new_code_cell("\n".join([NEEDED.get(stem, ""), *calls]))
    cell.metadata.update(slideshow={"slide_type": "skip"}, tags=["wrong"])
    return cell


@pytest.fixture(scope="module", params=LESSONS, ids=lambda lesson: lesson.stem)
def executed(request, tmp_path_factory):
    """A lesson's notebook with its outputs."""
    lesson = request.param
    folder = tmp_path_factory.mktemp(lesson.stem)
    found = notebooks.notebook(lesson)
    if lesson.stem in WRONG:
        found.cells.append(wrong_answers(lesson.stem))
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


def test_wrong_answers_do_not_pass(executed):
    lesson, found = executed
    told = notebooks.printed([c for c in found.cells if "wrong" in c.metadata.get("tags", [])])
    answers = told.split("»")[1:]
    assert len(answers) > 6 or lesson.stem in WHOLE
    assert not [answer for answer in answers if "not yet" not in answer]


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


def test_a_line_tells_where_a_lesson_is(capsys):
    found = notebooks.notebook(LESSONS[0])
    code = [i for i, cell in enumerate(found.cells) if notebooks.is_code(cell)]
    told = notebooks.Progress(found, "0_graphs")
    told(cell_index=code[1], cell=found.cells[code[1]])
    told(cell_index=code[-1])
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"0_graphs: cell 2 of {len(code)} begins, after 0 s: 1. A program")
    assert last.endswith(": 0.4")


def test_a_check_may_change_and_no_other_statement():
    found = notebooks.notebook(LESSONS[0])
    before = notebooks.code_of(found)
    checks = next(c for c in found.cells if c.source.startswith("answer_02"))
    checks.source = checks.source.replace("missing", "lacking")
    assert notebooks.code_of(found) == before
    checks.source += "\nother = 1"
    assert notebooks.code_of(found) != before


@pytest.fixture(scope="module")
def answering():
    """Lesson 0 as a module, with the checks of its exercises."""
    code = (c.source for c in notebooks.notebook(LESSONS[0]).cells if notebooks.is_code(c))
    space = {}
    exec("\n".join(code), space)
    return space


@pytest.mark.parametrize(
    ("check", "answer", "said"),
    [
        ("01", 5, "put a list"),
        ("01", ["yes"] * 6, "put a list"),
        ("01", [True] * 7, "1 too many"),
        ("02", ["a"], "right"),
        ("02", "a", "right"),
        ("02", {"a", "b"}, "1 too many"),
        ("02", 3, "put names"),
        ("02", {"foo"}, "no variable foo"),
        ("03", ("rain", "sprinkler"), "right"),
        ("03", ["sprinkler", "rain"], "right"),
        ("03", ("wet",), "asked about"),
        ("03", ("rain", "sprinkler", "cloudy"), "asked about"),
        ("03", ("foo",), "no variable foo"),
        ("03", (["rain"],), "no variable"),
        ("03", ("rain",), "not independent"),
        ("04", lambda x: None, "not yet: "),
        ("04", None, "not yet: "),
    ],
)
def test_a_wrong_answer_gets_a_sentence(check, answer, said, answering, capsys):
    capsys.readouterr()
    if check == "01":
        answering["check"](answer, answering["exercise"], answering["asked"])
    else:
        answering[f"check_{check}"](answer)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (lambda x: dist.Delta(torch.tensor(0.5)), lambda x, a: dist.Delta(torch.tensor(0.5))),
        (lambda x: dist.Normal(0.5 * x, 0.1), lambda x, a: dist.Normal(x - a, 0.1)),
        (lambda x: dist.Normal(0.0, 1.0), lambda x, a: dist.Delta(x - a)),
    ],
)
def test_a_wrong_guide_is_not_right(a, b, answering, capsys):
    def guide(x):
        pyro.sample("b", b(x, pyro.sample("a", a(x))))

    capsys.readouterr()
    answering["check_04"](guide)
    assert capsys.readouterr().out.startswith("not yet")
