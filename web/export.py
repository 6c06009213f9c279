"""All rooms as a folder for any web server: what the server would answer is recorded beforehand.

The pages are the same, with the same scripts; where these would ask the server they read a file of
``data/`` instead. Recorded are the views of all programs with the answers to all questions about
whole variables, some trainings step by step, and the positions of the faces' sliders. Nothing has
to be installed to look at it, and it asks no other host for anything.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from .. import __version__
from ..files import write_atomically
from ..inspection.example import PATTERNS
from ..inspection.objectives import names
from .apart import Apart
from .asking import ask
from .faces import Room
from .frame import HERE, Frame
from .looking import OWN, Asked
from .objectives import table_row
from .offer import Offer, suites
from .own import Own
from .programs import Shown, suite
from .server import Pages
from .steering import Side, Start, checked
from .train import train_parts
from .training import STEPS, SUMMARIES, Training, heading

MARK = "ccvae-page.json"
"""A file by which a folder is known as one that was written here."""

PAIRS = (
    (Side(), Side(objective="adapted-diva")),
    (Side(program="m2"), Side()),
    (Side(program="diva"), Side(objective="our-adapted-diva")),
    (Side(program="vae"), Side(objective="ccvae-authors")),
)
"""The trainings that are recorded."""

LABELS = "some"
"""The pattern of labels that the room of programs opens with."""

QUESTIONS = 4000
"""Answers that are recorded of a graph: those with the fewest variables given come first."""

SET_FROM_OUTSIDE = 250
"""Answers that are recorded with one variable set from outside, and none or one given."""

FACES, POSITIONS = 4, 7
"""Faces that are recorded, and the positions of each of their sliders."""

Say = Callable[[str], None]


def export(pages: Pages, target: Path, say: Say = lambda _: None) -> dict[str, int]:
    """Write all rooms into a folder.

    Args:
        pages: what the server would answer. target: is made where it does not exist; what was
            exported there before is replaced.
        say: told what is being recorded.

    Returns:
        the number of ``files`` and of ``bytes``.

    Raises:
        ValueError: for a folder that holds something else.
    """
    check_target(target)
    (target / "data").mkdir(parents=True, exist_ok=True)
    writer = Writer(target)
    writer.json(MARK, {"ccvae": __version__})
    shutil.copytree(HERE / "static", target / "static", dirs_exist_ok=True)
    frame = Frame(static=True)
    say("programs and their questions")
    _programs(pages, frame, writer)
    say("objectives and estimators")
    table = [table_row(name) for name in names()]
    writer.text("objectives.html", frame.text("objectives", **pages.table(table)))
    writer.text("estimators.html", frame.text("estimators"))
    _trainings(pages.offer(), frame, writer, say)
    say("faces")
    _faces(pages, frame, writer)
    files = [path for path in target.rglob("*") if path.is_file()]
    return {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}


def check_target(target: Path) -> None:
    """Raise for a folder that holds what was not exported by this.

    Raises:
        ValueError: with the folder's name.
    """
    if target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file; give --export a folder")
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).is_file():
        raise ValueError(
            f"{target} holds something that was not exported here; give --export an empty folder"
        )


class Writer:
    """Writes files below a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def text(self, name: str, content: str) -> None:
        """A text."""
        write_atomically(self.target / name, content.encode())

    def json(self, name: str, content: Any) -> None:
        """A JSON document."""
        self.text(name, json.dumps(content, separators=(",", ":")))


def _programs(pages: Pages, frame: Frame, writer: Writer) -> None:
    room = frame.text("programs", **pages.programs_parts(_first(pages)))
    for name in ("index.html", "programs.html"):
        writer.text(name, room)
    for shown in _all_shown(pages):
        view = shown.view
        key = key_of(view.program, view.objective, view.labels)
        for suffix, each in (("", shown), ("-lacks", shown.with_lacks())):
            html = frame.part_text("programs_view.html", view=each.view)
            writer.text(f"data/view-{key}{suffix}.html", html)
        writer.json(f"data/graph-{key}.json", dict(_answers(shown)))


def _first(pages: Pages) -> Shown:
    program, objective = pages.opening()
    if pages.own is None:
        return suite(program, objective, LABELS)
    asked = pages.own.asked(program, objective, LABELS)
    pages.own.draw([asked])
    return pages.own.found.shown[asked]


def key_of(*asked: str) -> str:
    """What a choice is called among the files."""
    return re.sub(r"[^\w-]+", "-", "-".join(filter(None, asked)), flags=re.ASCII)


def _all_shown(pages: Pages) -> Iterator[Shown]:
    if pages.own is not None:
        pages.own.draw(_of_theirs(pages.own))
        yield from pages.own.found.shown.values()
    for program, known in suites().drawn.items():
        for objective, labels in itertools.product(known, PATTERNS):
            yield suite(program, objective, labels)


def _of_theirs(own: Own) -> list[Asked]:
    """All that can be seen of what somebody named."""
    word, patterns = own.theirs.objective, own.theirs.patterns
    pairs: list[tuple[str, tuple[str, ...]]] = [(program, PATTERNS) for program in own.entries]
    pairs += [(OWN, patterns)] if own.found.fits else []
    return [(program, word, labels) for program, known in pairs for labels in known]


def _answers(shown: Shown) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answers about whole variables, by ``first|second|given``, names in their order, and with
    ``|do(name)`` behind it where one is set from outside."""
    nodes = sorted(n for n, node in shown.drawn.nodes.items() if node.role not in AROUND)
    for name in nodes:
        yield f"|{name}|", ask(shown, {"blanket": name})
    triples = (
        (*pair, given)
        for size in range(len(nodes) - 1)
        for pair in itertools.combinations(nodes, 2)
        for given in itertools.combinations([n for n in nodes if n not in pair], size)
    )
    for first, second, given in itertools.islice(triples, QUESTIONS):
        asked = {"first": first, "second": second, "given": ",".join(given)}
        yield f"{first}|{second}|{asked['given']}", ask(shown, asked)
    settings = (
        (*pair, do, given)
        for size in (0, 1)
        for pair in itertools.combinations(nodes, 2)
        for do in nodes
        for given in itertools.combinations([n for n in nodes if n not in (*pair, do)], size)
        if do not in pair
    )
    for first, second, do, given in itertools.islice(settings, SET_FROM_OUTSIDE):
        asked = {"first": first, "second": second, "given": ",".join(given), "do": do}
        yield f"{first}|{second}|{asked['given']}|do({do})", ask(shown, asked)


AROUND = ("factor", "input", "auxiliary", "intervened", "block")
"""Roles of nodes that no question is about."""


def _trainings(offer: Offer, frame: Frame, writer: Writer, say: Say) -> None:
    recorded = []
    pairs = [*_theirs_trained(offer), *PAIRS]
    for position, (a, b) in enumerate(pairs):
        start = checked(Start(a=a, b=b), offer)
        title = " and ".join(f"{side.program} with {side.objective}" for side in (start.a, start.b))
        say(f"training {position + 1} of {len(pairs)}: {title}")
        name = str(position + 1)
        writer.json(f"data/train-{name}.json", record(start, offer))
        recorded.append({"id": name, "title": title, "start": msgspec.to_builtins(start)})
    writer.text("train.html", frame.text("train", **train_parts(offer, recorded)))


def _theirs_trained(offer: Offer) -> list[tuple[Side, Side]]:
    """What somebody named, beside the suite's own."""
    word = offer.theirs.objective
    found = [
        (Side(program=program, objective=word), Side(program=program))
        for program, known in offer.trained.items()
        if word in known and program != OWN
    ][:1]
    return [(Side(program=OWN), Side()), *found] if offer.theirs.path else found


def record(start: Start, offer: Offer) -> dict[str, Any]:
    """A whole training, as a page would have seen it."""
    theirs = any(offer.is_theirs(side.program, side.objective) for side in (start.a, start.b))
    training = Apart(start, offer.theirs) if theirs else Training(start)
    try:
        return _recorded(training)
    finally:
        if isinstance(training, Apart):
            training.close()


def _recorded(training: Training | Apart) -> dict[str, Any]:
    frames = [{"step": 0, "sides": training.frame()}]
    steps = []
    for _ in range(STEPS):
        found = training.step()
        if frame := found.pop("frame", None):
            frames.append({"step": found["step"], "sides": frame})
        steps.append({"step": found["step"], "sides": [_short(side) for side in found["sides"]]})
    terms = [name for side in steps[0]["sides"] for name in side]
    return {
        "opening": training.opening(),
        "steps": steps,
        "frames": frames,
        "events": [],
        "headings": {name: heading(name) for name in [*SUMMARIES, *terms]},
        "trouble": "",
        "until": STEPS,
        "last": STEPS,
    }


def _short(numbers: dict[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.6g}") for name, value in numbers.items()}


def _faces(pages: Pages, frame: Frame, writer: Writer) -> None:
    writer.text("faces.html", frame.text("faces", **pages.faces_parts(FACES)))
    if pages.room is not None:
        pages.room.form = "WEBP"  # a fifth of PNG's size, for hundreds of pictures
        for face in range(min(FACES, len(pages.room.images))):
            writer.json(f"data/face-{face}.json", _face(pages.room, face))


def _face(room: Room, face: int) -> dict[str, Any]:
    """The answers for one face: as it is, each slider at each position, each intervention."""
    base = room.answer({"face": face})
    found = {"": base}
    for prior in room.priors:
        name = prior["name"]
        for dimension, pace in enumerate(prior["pace"]):
            for position in range(POSITIONS):
                at = round(position * (len(pace) - 1) / (POSITIONS - 1))
                block = [*base["blocks"][name]]
                block[dimension] = pace[at]
                asked = {"face": face, "blocks": {name: block}}
                found[f"{name}:{dimension}:{at}"] = room.answer(asked)
        for code in range(len(prior["classes"])):
            found[f"{name}={code}"] = room.answer({"face": face, "intervene": {name: code}})
    return {key: _lean(answer, base if key else None) for key, answer in found.items()}


def _lean(answer: dict[str, Any], base: dict[str, Any] | None) -> dict[str, Any]:
    """An answer with shorter numbers, and without what it shares with the face as it is."""
    lean: dict[str, Any] = json.loads(json.dumps(answer), parse_float=lambda t: round(float(t), 4))
    if base is not None:
        for name in ("typical", "before"):
            del lean[name]
        for name in ("original", "reconstruction"):
            del lean["images"][name]
    return lean
