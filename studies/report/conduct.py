"""The studies by name: each looks at a trained run, is kept in its directory and in its report.

==========================  ========================================================
``studies/NAME.json``       title, text, captions and the measured figures
``studies/NAME.nc``         draws in ArviZ's format, of a study that makes some
``figures/NAME-….png``      the pictures
``figures/NAME-….webp``     those that move
==========================  ========================================================
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from ...files import keeping, read_json, say, sealed, write_atomically
from ...inference.catalogue import ENTRIES
from ...inference.runs.evaluation import OF, Origin, is_of, origin
from ...inference.runs.run import Run
from ...loading import choose
from ...words import GIVEN, is_own
from .. import (
    beliefs,
    confusion,
    disentanglement,
    embedding,
    generation,
    intervention,
    locality,
    multiclass,
    reconstruction,
    swap,
    traversal,
)
from ..drawing.section import Section
from ..matching import study as matching
from ..reading.examples import OWN, Choice
from ..reading.judge import LateJudge
from ..reading.subject import Subject

Study = Callable[[Subject], Section | None]
"""What looks at a subject and tells what it sees; None where it has nothing to show."""

STUDIES: dict[str, Study] = {
    "reconstruction": reconstruction.study,
    "beliefs": beliefs.study,
    "intervention": intervention.study,
    "traversal": traversal.study,
    "embedding": embedding.study,
    "multiclass": multiclass.study,
    "generation": generation.study,
    "swap": swap.study,
    "locality": locality.study,
    "confusion": confusion.study,
    "disentanglement": disentanglement.study,
    "matching": matching.study,
}
"""All studies in the order of the report."""

CHOOSING = ("traversal", "multiclass")
"""Those that can be told which images and labels to show."""

QUICK = ("reconstruction", "beliefs", "intervention", "traversal", "embedding")
"""Those that every report has."""

CLASSIFYING, ANY = ("beliefs",), ("reconstruction",)
"""Those that need no blocks but a guide that names classes, and those that need neither."""

NEEDED = {"matching": ("kornia", "cv2")}
"""What a study needs beyond the suite's own dependencies."""

FOLDER, FIGURES = "studies", "figures"


def applies(name: str, program: str) -> bool:
    """Whether a study can look at a run of a program; most need a block for every label."""
    entry = ENTRIES[program]
    return entry.has_blocks or name in ANY or (entry.classifies and name in CLASSIFYING)


def names(name: str, choice: Choice = OWN, program: str = "ccvae") -> Sequence[str]:
    """The studies that a name asks for: itself, or with ``all`` every one that can be conducted.

    Args:
        name: of a study, or ``all``. choice: of images and labels. program: the run's.

    Raises:
        ValueError: for a name that is not known, a choice for a study that takes none, or a study
            that needs another program.
    """
    if program.startswith(f"{GIVEN}:"):
        raise ValueError(
            "studies and report look at programs of the suite, whose sites they know, and this run "
            "is of a pair from Python; choose run.evaluate(), run.history or run.values()"
        )
    if is_own(program):
        raise ValueError(
            f"studies and report look at programs of the suite, whose sites they know, and this "
            f"run is of {program}; choose ccvae evaluate, or look at it in Python"
        )
    fitting = [n for n in STUDIES if applies(n, program)]
    if name == "all":
        return [n for n in fitting if all(find_spec(module) for module in NEEDED.get(n, ()))]
    choose("study", name, [*STUDIES, "all"])
    if name not in fitting:
        raise ValueError(
            f"the study {name!r} needs a run of ccvae, this one is of {program}; choose "
            f"{' or '.join(fitting)}, or all"
        )
    if choice.matcher != OWN.matcher and name != "matching":
        raise ValueError(
            f"the study {name!r} matches nothing, got the matcher {choice.matcher!r}; leave it "
            "out, or choose matching or all"
        )
    if (choice.images or choice.labels) and name not in CHOOSING:
        raise ValueError(
            f"the study {name!r} takes neither images nor labels; leave them out, or choose "
            f"{' or '.join(CHOOSING)}"
        )
    return [name]


def subject_of(run: Run, choice: Choice = OWN) -> Subject:
    """A run with its test rows, and the judge that is trained on its own rows but apart from it.

    Args:
        run: a trained run. choice: what to look at, of the studies in :data:`CHOOSING`.
    """
    train, test = run.data()
    judge = LateJudge(run.config, train, run.device)
    return Subject(run.model, run.guide, test, run.device, judge, choice)


def conduct(run: Run, name: str, subject: Subject | None = None) -> Section | None:
    """Run one study and keep what it found in the run's directory; None where it does not apply.

    Args:
        run: a trained run. name: of the study.
        subject: shared with other studies of the run; by default its own.
    """
    section = STUDIES[name](subject or subject_of(run))
    if section is not None:
        with keeping(f"the study {name}"):
            save(run.directory, section, origin(run))
    return section


def save(directory: Path, section: Section, of: Origin | None = None) -> None:
    """Keep a section: its pictures as PNG and WebP, its files as they are, the rest as JSON.

    Args:
        of: what it was found of.
    """
    figures, folder = directory / FIGURES, directory / FOLDER
    for path in (figures, folder):
        path.mkdir(parents=True, exist_ok=True)
    for picture in section.pictures:
        write_atomically(figures / f"{picture.name}.png", picture.png)
        if picture.webp:
            write_atomically(figures / f"{picture.name}.webp", picture.webp)
    for name, content in section.files.items():
        write_atomically(folder / name, content)
    text = json.dumps(sealed(section.to_json() | ({OF: of} if of else {})), indent=2)
    write_atomically(folder / f"{section.name}.json", text.encode())


def saved(run: Run) -> list[Section]:
    """The sections that a run's directory keeps of the run as it is, in the order of the report.

    What is damaged is made again; what was found of other weights is left out, and a line says so.
    """
    of = origin(run)
    found = [_saved(run, name, of) for name in STUDIES]
    return [section for section in found if section is not None]


def _saved(run: Run, name: str, of: Origin) -> Section | None:
    path = run.directory / FOLDER / f"{name}.json"
    if not path.exists():
        return None
    facts = read_json(path)
    try:
        if facts is None:
            raise ValueError(f"{path} is damaged")
        section = Section.from_json(facts, run.directory / FIGURES)
    except ValueError as error:
        say(f"{error}; made again")
        return conduct(run, name) if name in names("all", OWN, run.config.program) else None
    if is_of(facts, of):
        return section
    again = command_of(name, run.directory)
    say(f"{path} is of another step of this run, and left out of the report; to renew it: {again}")
    return None


def command_of(name: str, directory: Path) -> str:
    """The command that conducts a study."""
    return shlex.join(["ccvae", "study", name, str(directory)])
