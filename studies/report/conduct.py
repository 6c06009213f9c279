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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from ...inference.evaluation.evaluating import PlainClassifier
from ...inference.runs.run import Run, read_json
from ...inference.training.checkpoint import write_atomically
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
from ..confusion import train_judge
from ..drawing.section import Section
from ..matching import study as matching
from ..reading.examples import OWN, Choice


@dataclass
class Aids:
    """What the studies of one run share.

    Attributes:
        run: the run. choice: what to look at, of the studies in :data:`CHOOSING`.
    """

    run: Run
    choice: Choice = OWN

    @cached_property
    def judge(self) -> PlainClassifier:
        """A classifier that is trained on the run's own rows, but apart from it."""
        return train_judge(self.run.config, self.run.data()[0], self.run.device)


Study = Callable[[Aids], Section | None]


def on_test_rows(study: Callable[..., Section | None], *needs: str) -> Study:
    """A study of a model, a guide and rows as a study of a run, on its test rows.

    Args:
        study: the study. needs: which aids it takes, by name.
    """

    def look(aids: Aids) -> Section | None:
        run = aids.run
        taken = {need: getattr(aids, need) for need in needs}
        return study(run.model, run.guide, run.data()[1], run.device, **taken)

    return look


STUDIES: dict[str, Study] = {
    "reconstruction": on_test_rows(reconstruction.study),
    "beliefs": on_test_rows(beliefs.study),
    "intervention": on_test_rows(intervention.study),
    "traversal": on_test_rows(traversal.study, "choice"),
    "embedding": on_test_rows(embedding.study),
    "multiclass": on_test_rows(multiclass.study, "judge", "choice"),
    "generation": on_test_rows(generation.study, "judge"),
    "swap": on_test_rows(swap.study),
    "locality": on_test_rows(locality.study),
    "confusion": on_test_rows(confusion.study, "judge"),
    "disentanglement": on_test_rows(disentanglement.study),
    "matching": on_test_rows(matching.study),
}
"""All studies in the order of the report."""

CHOOSING = ("traversal", "multiclass")
"""Those that can be told which images and labels to show."""

QUICK = ("reconstruction", "beliefs", "intervention", "traversal", "embedding")
"""Those that every report has."""

WITHOUT_BLOCKS = {"vae": ("reconstruction",), "": ("reconstruction", "beliefs")}
"""Those that need no characteristic blocks, for a program and for any other."""

NEEDED = {"matching": ("kornia", "cv2")}
"""What a study needs beyond the suite's own dependencies."""

FOLDER, FIGURES = "studies", "figures"


def applies(name: str, program: str) -> bool:
    """Whether a study can look at a run of a program; most need CC-VAE's blocks."""
    return program == "ccvae" or name in WITHOUT_BLOCKS.get(program, WITHOUT_BLOCKS[""])


def names(name: str, choice: Choice = OWN, program: str = "ccvae") -> Sequence[str]:
    """The studies that a name asks for: itself, or with ``all`` every one that can be conducted.

    Args:
        name: of a study, or ``all``. choice: of images and labels. program: the run's.

    Raises:
        ValueError: for a name that is not known, a choice for a study that takes none, or a study
            that needs another program.
    """
    fitting = [n for n in STUDIES if applies(n, program)]
    if name == "all":
        return [n for n in fitting if all(find_spec(module) for module in NEEDED.get(n, ()))]
    if name not in STUDIES:
        raise ValueError(f"unknown study {name!r}; choose one of {', '.join(STUDIES)} or all")
    if name not in fitting:
        raise ValueError(
            f"the study {name!r} needs a run of ccvae, this one is of {program}; choose "
            f"{' or '.join(fitting)}, or all"
        )
    if choice != OWN and name not in CHOOSING:
        raise ValueError(
            f"the study {name!r} takes neither images nor labels; leave them out, or choose "
            f"{' or '.join(CHOOSING)}"
        )
    return [name]


def conduct(run: Run, name: str, aids: Aids | None = None) -> Section | None:
    """Run one study and keep what it found in the run's directory; None where it does not apply.

    Args:
        run: a trained run. name: of the study.
        aids: shared with other studies of the run; by default its own.
    """
    section = STUDIES[name](aids or Aids(run))
    if section is not None:
        save(run.directory, section)
    return section


def save(directory: Path, section: Section) -> None:
    """Keep a section: its pictures as PNG and WebP, its files as they are, the rest as JSON."""
    figures, folder = directory / FIGURES, directory / FOLDER
    for path in (figures, folder):
        path.mkdir(parents=True, exist_ok=True)
    for picture in section.pictures:
        write_atomically(figures / f"{picture.name}.png", picture.png)
        if picture.webp:
            write_atomically(figures / f"{picture.name}.webp", picture.webp)
    for name, content in section.files.items():
        write_atomically(folder / name, content)
    text = json.dumps(section.to_json(), indent=2)
    write_atomically(folder / f"{section.name}.json", text.encode())


def saved(directory: Path) -> list[Section]:
    """The sections that a run's directory keeps, in the order of the report."""
    found = []
    for name in STUDIES:
        facts = read_json(directory / FOLDER / f"{name}.json")
        if facts is not None:
            found.append(Section.from_json(facts, directory / FIGURES))
    return found
