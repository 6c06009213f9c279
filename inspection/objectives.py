"""Table 1 of the poster, generated: every objective on labelled and on unlabelled rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyro
import torch
from torch import nn

from ..config import Config
from ..data import Batch, Dataset
from ..data.faces import faces
from ..inference import Objective
from ..inference.catalogue import PROGRAMS, Pair, build_objective, build_pair
from ..inference.checks.untouched import untouched
from ..loading import choose
from .example import LABELS, ROWS, example_batch
from .graph import build_graph
from .inspection import as_read
from .recording.examining import examined
from .recording.runner import Runner
from .recording.sites import Record
from .writing.factorisation import guide_density
from .writing.formulas import Formula, present, write_term
from .writing.notation import LATEX, UNICODE, paragraph

COLUMNS = {
    "m2": "M2",
    "diva": "DIVA",
    "adapted-diva": "Adapted DIVA",
    "our-adapted-diva": "Our Adapted DIVA",
    "ccvae": "CC-VAE",
}
"""The columns of the poster's Table 1: objectives by name, and what the poster calls them."""

NOTES = {
    "m2": (
        "Erratum: the poster's Table 1 has the α-term with the wrong sign.",
        "Erratum: its report writes −H[q(z|x)] where +H[q(y|x)] belongs (here −log q(y|x) in the "
        "expectation), swaps the captions of the two sides, and has the KL with the wrong sign.",
        "The paper's α = 0.1·N multiplies the mean over the labelled rows.",
    ),
    "diva": ("β rises from 0 over the first epochs, for the prior and the guide alike.",),
    "adapted-diva": (
        "As printed, the α-term is on unlabelled rows, their labels imputed by the model itself: a "
        "negative entropy. No label ever reaches the classifier.",
    ),
    "ccvae": (
        "The poster's form, one draw of q(z|x) weighed by w = q(y|z_c)/q(y|x), is this expectation "
        "under the guide conditioned by Bayes' rule; the paper has α = 1.",
    ),
    "ccvae-authors": (
        "w = q(y|z_c)/q(y|x), with q(y|x) an average over K fresh draws; z_c is detached in every "
        "log q(y|z_c).",
    ),
}
"""What belongs beside a formula: errata of the poster and its report, and conventions."""


@dataclass(frozen=True)
class Entry:
    """One objective of the table.

    Attributes:
        name, program: as on the command line. title: the poster's name, or the objective's.
        evidence: what the bound within it bounds, as a term is named; ``""`` where it says nothing.
        supervised, unsupervised: on rows with all and with no labels.
        guides: the guide's density on both.
        notes: errata and conventions.
    """

    name: str
    program: str
    title: str
    evidence: str
    supervised: Formula
    unsupervised: Formula
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The entry as plain data."""
        return {
            "name": self.name,
            "title": self.title,
            "program": self.program,
            "column": self.name in COLUMNS,
            "evidence": self.evidence,
            **{
                side: {
                    "terms": list(formula.terms),
                    "latex": formula.write(LATEX),
                    "unicode": formula.write(UNICODE),
                    "guide": guide_density(formula.graph),
                }
                for side, formula in self.sides.items()
            },
            "notes": list(self.notes),
        }

    @property
    def sides(self) -> dict[str, Formula]:
        """Both sides by name."""
        return {"supervised": self.supervised, "unsupervised": self.unsupervised}


def entries() -> list[Entry]:
    """The poster's columns in their order, then the suite's other objectives."""
    return [entry(name) for name in names()]


def names() -> list[str]:
    """The objectives in the order of the table."""
    others = [name for known in PROGRAMS.values() for name in known if name not in COLUMNS]
    return [*COLUMNS, *others]


def entry(name: str) -> Entry:
    """One objective of the table.

    Raises:
        ValueError: for a name that no program's objective has.
    """
    choose("objective", name, names())
    program = next(program for program, known in PROGRAMS.items() if name in known)
    return _entry(name, program)


def own_entry(word: str, program: str = "") -> Entry:
    """An objective of the user's on the first program that it applies to, or on the one named.

    Raises:
        ValueError: see :func:`applying`.
    """
    return next(applying(word, (program,) if program else ()))


def applying(word: str, programs: Sequence[str] = ()) -> Iterator[Entry]:
    """An objective of the user's, or a sum, on each program of the suite that it applies to.

    Args:
        word: see :mod:`ccvae.words`. programs: those that are tried; all by default.

    Raises:
        ValueError: where it is no objective with named terms, or applies to none of them.
    """
    reasons = []
    tried = programs or ("ccvae", *(name for name in PROGRAMS if name != "ccvae"))
    for each in tried:
        try:
            yield _entry(word, each)
        except ValueError as error:
            reasons.append(error)
    if len(reasons) == len(tried):
        raise reasons[0]


def _entry(name: str, program: str) -> Entry:
    config = Config(program=program, objective=name, style=2)
    objective = build_objective(config)
    if not isinstance(objective, Objective):
        raise ValueError(
            f"{name} has no formula of named terms; give an objective of the suite or one of your "
            "own that is a ccvae.inference.Objective"
        )
    supervised, unsupervised = (
        _seen(program, labels).formula(objective) for labels in ("all", "none")
    )
    return Entry(
        name,
        program,
        COLUMNS.get(name, name),
        objective.evidence,
        supervised,
        unsupervised,
        NOTES.get(name, ()),
    )


@cache
def _seen(program: str, labels: str) -> _Seen:
    """A small pair of a program on a few faces, with all labels or none."""
    return _Seen(*_small_pair(program), example_batch(_few_faces(), labels))


@cache
def _few_faces() -> Dataset:
    return faces(ROWS, pixels=8).only(LABELS.split(","))


@cache
def _small_pair(program: str) -> Pair:
    data = _few_faces()
    config = Config(program=program, network="mlp", style=2)
    return build_pair(config, data.space, data.shape, None, data.domain_count)


class _Seen:
    """A pair that several objectives are shown on: what they share is looked at once.

    Args:
        model, guide: the pair. batch: what both are called with.
    """

    def __init__(self, model: nn.Module, guide: nn.Module, batch: Batch) -> None:
        self.pair, self.batch = (model, guide), batch
        self.runner = Runner(model, batch.args, batch.kwargs, name="model")
        self.model = examined(self.runner)
        self.guides: dict[Callable[..., Any], Record] = {}

    def formula(self, objective: Objective) -> Formula:
        """An objective's formula on the batch."""
        args: tuple[Any, ...] = self.batch.args
        kwargs: dict[str, Any] = self.batch.kwargs
        with untouched(*self.pair), torch.no_grad(), pyro.validation_enabled(False):
            draw = objective.draw(*self.pair, *args, **kwargs)
            terms = objective.formula(draw)
        graph = build_graph(self.model, as_read(self._guide(objective), draw))
        return Formula(present(terms, graph), graph)

    def _guide(self, objective: Objective) -> Record:
        """The guide as an objective runs it, noted once for all that run it alike."""
        how = type(objective).prepare
        if how in self.guides:
            return self.guides[how]
        prepared = objective.prepare(self.pair[1])
        args, kwargs = self.batch.args, self.batch.kwargs
        found = examined(Runner(prepared, args, kwargs, name="guide", like=self.runner))
        if len(objective.weighted_parts()) == 1:  # a sum runs it as its parts do
            self.guides[how] = found
        return found


def table_text(table: list[Entry]) -> str:
    """The table for people: a block for every objective."""
    blocks = []
    for entry in table:
        lines = [f"{entry.title}  (ccvae train {entry.program} --objective {entry.name})"]
        for heading, formula in (("L_s", entry.supervised), ("L_u", entry.unsupervised)):
            lines.append(paragraph(f"  {heading}", formula.write(), solid=True))
        if entry.evidence:
            lines.append(paragraph("  bound on", write_term(entry.evidence)))
        lines += [paragraph("  note", note) for note in entry.notes]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def table_latex(table: list[Entry]) -> str:
    """The table as a LaTeX document: a row for each side of every objective."""
    rows = []
    for entry in table:
        rows += [
            rf"{entry.title} & $\mathcal{{L}}_s$ & ${_breakable(entry.supervised)}$ \\",
            rf" & $\mathcal{{L}}_u$ & ${_breakable(entry.unsupervised)}$ \\",
        ]
        if entry.evidence:
            rows.append(rf" & bound on & ${write_term(entry.evidence, LATEX)}$ \\")
        rows += [rf" & & \footnotesize {_math_in(note)} \\" for note in entry.notes]
        rows.append(r"\addlinespace")
    return "\n".join([LATEX_HEAD, *rows, LATEX_END])


LATEX_HEAD = r"""\documentclass{article}
\usepackage[a4paper,landscape,margin=15mm]{geometry}
\usepackage{amsmath,amssymb,booktabs,longtable,array}
\begin{document}
\begin{longtable}{@{}l l >{\raggedright\arraybackslash}p{0.75\linewidth}@{}}
\toprule
objective & & maximised \\ \midrule"""

SIGNS = {"α-term": r"\alpha\text{-term}", "α": r"\alpha", "β": r"\beta", "−": "-", "·": r"\cdot "}

LATEX_END = r"""\bottomrule
\end{longtable}
\end{document}
"""


def _breakable(formula: Formula) -> str:
    """A formula that LaTeX may break between its terms: without brackets that must match."""
    return formula.write(LATEX).replace(r"\left[", r"\bigl[").replace(r"\right]", r"\bigr]")


def _math_in(note: str) -> str:
    """A note for LaTeX: words that hold a formula's signs are set as mathematics."""
    words = []
    for word in note.split(" "):
        bare = word.rstrip(".,;:")
        end = word[len(bare) :]
        if any(sign in bare for sign in "αβ−=_|[·"):
            for sign, latex in SIGNS.items():
                bare = bare.replace(sign, latex)
            bare = f"${bare}$"
        words.append(bare + end)
    return " ".join(words)
