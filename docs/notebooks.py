"""The lessons as notebooks with their outputs, as pages and as slides: ``make lessons``.

    python docs/notebooks.py FOLDER [LESSON.py …]

writes for each lesson ``NAME.ipynb``, ``NAME.html`` and ``NAME.slides.html``; fails where a number
that its text names is not among what the cells before it and after it printed. What was printed is
kept in ``lessons/printed``, where tests compare the text with it, as they have no time for the
trainings. ``CCVAE_SMALL=1`` runs them at a small size, whose numbers mean nothing and are neither
kept nor looked at.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

import ccvae

sys.path.append(str(Path(__file__).parent))
import offline

LESSONS = Path(__file__).parent.parent / "lessons"

PRINTED = LESSONS / "printed"
"""What each lesson printed at its full size, a file a lesson."""

SOLUTIONS = "## Solutions"


def notebook(lesson: Path) -> Any:
    """A lesson as a notebook: a slide for each section and exercise, its solutions folded."""
    found = jupytext.read(lesson)
    found.cells = [part for cell in found.cells for part in parted(cell)]
    solving = False
    for cell in found.cells:
        first = cell.source.lstrip().partition("\n")[0]
        solving = solving or (cell.cell_type == "markdown" and first == SOLUTIONS)
        begins = cell.cell_type == "markdown" and re.match(BEGINS, first)
        kind = "skip" if solving else "slide" if begins else "-"
        cell.metadata["slideshow"] = {"slide_type": kind}
        if first == SOLUTIONS:  # all cells below this heading are folded with it
            cell.metadata["jp-MarkdownHeadingCollapsed"] = True
        if solving and cell.cell_type == "code":
            cell.metadata["jupyter"] = {"source_hidden": True}
            cell.metadata["tags"] = ["solution"]
    found.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return found


BEGINS = r"##? |\*\*\d\.\d"
"""How a section and an exercise begin."""


def parted(cell: Any) -> list[Any]:
    """A text in as many cells as sections and exercises begin in it; code as it is."""
    if is_code(cell):
        return [cell]
    texts = re.split(rf"\n(?={BEGINS})", cell.source)
    return [nbformat.v4.new_markdown_cell(text.strip()) for text in texts]


def execute(
    found: Any, folder: Path, *, small: bool = False, seconds: int = 1800, name: str = ""
) -> None:
    """Run a notebook's cells in a kernel of its own.

    Args:
        found: the notebook, which is given its outputs. folder: where it runs.
        small: at the size of tests. seconds: for each cell. name: what lines of progress begin
            with, one for each cell that computes; without it there are none.

    Raises:
        nbclient.exceptions.CellExecutionError: where a cell fails.
    """
    here = str(Path(ccvae.__file__).parent.parent)  # the suite that this process has
    quiet = "ignore:IProgress not found"  # of tqdm, which Pyro loads
    env = {**os.environ, "PYTHONPATH": here, "PYTHONWARNINGS": quiet, "CCVAE_SMALL": "1" * small}
    client = NotebookClient(
        found,
        timeout=seconds,
        on_cell_execute=Progress(found, name) if name else None,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # none of its notices about sockets
    )
    client.execute(env=env)


class Progress:
    """A line for each cell as it begins.

    Args:
        found: the notebook. name: of the lesson.
    """

    def __init__(self, found: Any, name: str) -> None:
        self.found, self.name, self.started = found, name, time.monotonic()
        self.computing = [i for i, cell in enumerate(found.cells) if is_code(cell)]

    def __call__(self, *, cell_index: int, **_: Any) -> None:
        """Print where a notebook is."""
        place = self.computing.index(cell_index) + 1
        above = [c.source for c in self.found.cells[:cell_index] if not is_code(c)]
        begins = (re.match(r"##? (.*)|\*\*(\d\.\d)", text) for text in reversed(above))
        section = next((match[1] or match[2] for match in begins if match), "")
        seconds = time.monotonic() - self.started
        print(
            f"{self.name}: cell {place} of {len(self.computing)} begins, "
            f"after {seconds:.0f} s: {section}",
            flush=True,
        )


def printed(cells: list[Any]) -> str:
    """All text that cells put out."""
    texts = []
    for cell in cells:
        for output in cell.get("outputs", []):
            # A stream arrives in parts that end anywhere.
            texts.append(output.get("text") or output.get("data", {}).get("text/plain", "") + "\n")
    return "".join(texts)


NUMBER = r"(?<![\w.])[-−]?\d*\.\d+"

BESIDE_TEXT = r"<!--.*?-->|\$\$.*?\$\$|\$.*?\$|`[^`]*`|\*\*\d\.\d\*+|\]\([^)]*\)"
"""What is no prose: remarks, mathematics, code, the numbers of exercises, addresses."""

SAYS = r"<!-- says: (.*?) -->"
"""A statement about what was printed, as ``printed("block alone") < printed("both")``."""


GIVEN = ("0.2", "4.3")
"""Numbers that a text chooses, and the name of an exercise."""


def unprinted(found: Any, given: tuple[str, ...] = GIVEN) -> list[str]:
    """Numbers of a notebook's text that no cell before it or right after it printed.

    Numbers with a decimal point outside mathematics count; they are compared at the digits that the
    text has. A remark ``<!-- says: … -->`` is a statement about the numbers, which must hold.

    Args:
        found: an executed notebook. given: numbers that a text may name that are not printed.
    """
    wrong = []
    for place, cell in enumerate(found.cells):
        if cell.cell_type != "markdown":
            continue
        after = next((i for i in range(place, len(found.cells)) if is_code(found.cells[i])), place)
        text = printed([c for c in found.cells[: after + 1] if is_code(c)])
        numbers = [float(n.replace("−", "-")) for n in re.findall(NUMBER, text)]
        for name in re.findall(NUMBER, re.sub(BESIDE_TEXT, " ", cell.source, flags=re.S)):
            digits = len(name.partition(".")[2])
            value = float(name.replace("−", "-"))
            if name not in given and not any(round(n, digits) == value for n in numbers):
                wrong.append(f"{name} in: {cell.source[:60]!r}")
        for statement in re.findall(SAYS, cell.source, re.S):
            if not eval(statement, {"printed": Lines(text)}):
                wrong.append(statement)
    return wrong


CHECKS = re.compile(r"check_|told$")
"""Functions that look at a reader's answer."""


def code_of(found: Any) -> str:
    """A fingerprint of all that a notebook computes.

    What looks at the answers of exercises is left out: no text names a number of it, and it may
    become stricter without hours of training.
    """
    code = "\n\n".join(computing(cell.source) for cell in found.cells if is_code(cell))
    return hashlib.sha256(code.encode()).hexdigest()


def computing(source: str) -> str:
    """The statements of a cell that do more than look at a reader's answer."""
    kept = [node for node in ast.parse(source).body if not CHECKS.match(_called(node))]
    return "\n".join(ast.get_source_segment(source, node) or "" for node in kept)


def _called(node: ast.stmt) -> str:
    """The function that a statement defines, imports or calls."""
    if isinstance(node, ast.FunctionDef):
        return node.name
    if isinstance(node, ast.ImportFrom) and len(node.names) == 1:
        return node.names[0].name
    called = (
        node.value.func
        if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call)
        else None
    )
    return called.id if isinstance(called, ast.Name) else ""


def keep(found: Any, stem: str) -> None:
    """Keep what an executed notebook printed."""
    texts = [re.sub(r"\n+", "\n", printed([cell])) for cell in found.cells if is_code(cell)]
    texts = ["" if each in answering(found) else text for each, text in enumerate(texts)]
    record = {"code": code_of(found), "printed": texts}
    PRINTED.mkdir(exist_ok=True)
    text = json.dumps(record, ensure_ascii=False, indent=1)
    (PRINTED / f"{stem}.json").write_text(f"{text}\n", encoding="utf-8")


def kept(lesson: Path) -> Any:
    """A lesson as a notebook with what it printed when ``make lessons`` ran it.

    Raises:
        ValueError: where its code has changed since then.
    """
    found = notebook(lesson)
    record = json.loads((PRINTED / f"{lesson.stem}.json").read_text(encoding="utf-8"))
    if record["code"] != code_of(found):
        raise ValueError(
            f"{lesson.name} runs other code than what was printed by; make lessons LESSON={lesson}"
        )
    for cell, text in zip(filter(is_code, found.cells), record["printed"], strict=True):
        cell.outputs = [nbformat.v4.new_output("stream", text=text)]
    return found


def is_code(cell: Any) -> bool:
    """Whether a cell is run."""
    return bool(cell.cell_type == "code")


def answering(found: Any) -> set[int]:
    """Which code cells wait for an answer to an exercise, by their number."""
    code = [cell.source for cell in found.cells if is_code(cell)]
    solved = [cell.source for cell in found.cells if "solution" in cell.metadata.get("tags", [])]
    asks = re.compile(r"^def check_\d", re.M)
    return {i for i, each in enumerate(code) if asks.search(each) and each not in solved}


class Lines:
    """Numbers of a text by the words before them."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, line: str, word: str = "") -> float:
        """The number after ``word`` in the last line that begins with ``line``."""
        lines = [each for each in self.text.splitlines() if each.strip().startswith(line)]
        found = re.search(rf"{re.escape(word)}\W*?({NUMBER})", lines[-1][len(line) :])
        if found is None:
            raise ValueError(f"expected a number after {word!r}, got {lines[-1]!r}")
        return float(found[1])


def write(found: Any, stem: str, folder: Path) -> None:
    """Write a notebook, its page and its slides."""
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(found, folder / f"{stem}.ipynb")
    (folder / f"{stem}.html").write_text(offline.page(found), encoding="utf-8")
    (folder / f"{stem}.slides.html").write_text(offline.slides(found), encoding="utf-8")


def main(folder: str, *lessons: str) -> int:
    """Execute lessons and write them; returns 1 where a text names what was not printed."""
    small = bool(os.environ.get("CCVAE_SMALL"))
    wrong = []
    for lesson in map(Path, lessons or sorted(map(str, LESSONS.glob("[0-9]*.py")))):
        found = notebook(lesson)
        execute(found, lesson.parent, small=small, name=lesson.stem)
        write(found, lesson.stem, Path(folder))
        if not small:
            keep(found, lesson.stem)
        wrong += [] if small else [f"{lesson.name}: {each}" for each in unprinted(found)]
        print(f"{folder}/{lesson.stem}.slides.html", flush=True)
    print("\n".join(wrong), file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
