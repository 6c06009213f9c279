"""The commands that look at programs and train nothing: they start sooner without the training."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import Config
from .loading import choose
from .texts import aligned

if TYPE_CHECKING:
    from .inspection import Graph

Document = dict[str, Any]


def models(_: Namespace) -> tuple[Document, str]:
    """``ccvae models``."""
    from .inference.catalogue import PROGRAMS

    document = {
        "programs": [
            {"name": name, "objectives": list(objectives)} for name, objectives in PROGRAMS.items()
        ]
    }
    rows = [["program", "objectives, its own first"]]
    rows += [[name, ", ".join(objectives)] for name, objectives in PROGRAMS.items()]
    return document, aligned(rows, left=2)


def inspect(options: Namespace) -> tuple[Document, str]:
    """``ccvae inspect``."""
    from .inspection.example import inspect_own, inspect_program
    from .inspection.questions import Questions

    form = _format(options, ("text", "json", "svg", "png", "pdf", "tex"))
    questions = Questions(
        options.independent, options.given, options.do, options.blanket, options.inverse
    )
    config = Config(
        program=options.program,
        objective=options.objective,
        data=options.data,
        only=options.only,
        network=options.network,
    )
    if ":" in options.program:
        own = (options.program, options.inputs, config, options.labels)
        found = inspect_own(*own, deterministic=options.deterministic)
    else:
        found = inspect_program(config, options.labels, deterministic=options.deterministic)
    answers = questions.ask(found)
    document = {**found.to_json(), **answers.to_json()}
    drawn = answers.drawn(found.graph)
    shown = {
        "beside": options.beside,
        "numbers": options.numbers,
        "distributions": options.distributions,
        "caption": _caption(drawn, found.name, latex=True) if options.caption else "",
    }
    if form in ("svg", "png", "pdf"):
        from .inspection.drawing.figure import save_graph

        name = f"{config.program}-{config.objective_name}".replace(":", "_")
        path = options.out or Path(f"{name}.{form}")
        save_graph(drawn, path, **shown)
        return {**document, "figure": str(path)}, str(path)
    if form == "tex":
        from .inspection.drawing.tikz import tikz

        return document, _written(options.out, tikz(drawn, **shown))
    seen = found.to_text(distributions=options.distributions)
    below = _caption(drawn, found.name, latex=False) if options.caption else ""
    text = "\n\n".join(filter(None, (seen, answers.to_text(), below)))
    return document, _written(options.out, text if form == "text" else _json(document))


def _caption(drawn: Graph, name: str, *, latex: bool) -> str:
    """What stands below a figure; the drawing is loaded for who asks."""
    from .inspection.drawing.legend import caption
    from .inspection.writing import notation as notations

    text = caption(drawn, name, notations.LATEX if latex else notations.UNICODE)
    return text if latex else notations.paragraph("caption", text)


def objectives(options: Namespace) -> tuple[Document, str]:
    """``ccvae objectives``."""
    from .inspection.objectives import entries, own_entry, table_latex, table_text

    form = _format(options, ("text", "json", "tex"))
    own = options.objective
    table = [own_entry(own, options.program)] if own else entries()
    document = {"objectives": [entry.to_json() for entry in table]}
    if form == "json":
        return document, _written(options.out, json.dumps(document, indent=2))
    text = table_text(table) if form == "text" else table_latex(table)
    return document, _written(options.out, text)


def _format(options: Namespace, known: Sequence[str]) -> str:
    """The format that was asked for, by name or by the ending of the file."""
    asked: str = options.format or (options.out.suffix[1:] if options.out else known[0])
    asked = {"txt": "text"}.get(asked, asked)
    choose("format", asked, known)
    return asked


def _json(document: Document) -> str:
    return json.dumps(document, indent=2)


def _written(path: Path | None, text: str) -> str:
    """The text, or where it was written to."""
    if path is None:
        return text
    path.write_text(text + "\n")
    return str(path)
