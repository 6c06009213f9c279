"""The commands that list, describe and show: models, objectives, inspect, data and app."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from .config import Config
from .data.spec import load as load_data
from .data.summary import contact_sheet, describe
from .options import device_of, source_of
from .texts import Document, aligned, description_text


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

    form = _format(options, ("text", "json", "svg", "png", "pdf", "tex"))
    config = Config(
        program=options.program,
        objective=options.objective,
        data=options.data,
        only=options.only,
        network=options.network,
    )
    if ":" in options.program:
        found = inspect_own(options.program, options.inputs, config, options.labels)
    else:
        found = inspect_program(config, options.labels)
    document = found.to_json()
    if form in ("svg", "png", "pdf"):
        from .inspection.figure import save_graph

        name = f"{config.program}-{config.objective or config.program}".replace(":", "_")
        path = options.out or Path(f"{name}.{form}")
        save_graph(found.graph, path, beside=options.beside)
        return {**document, "figure": str(path)}, str(path)
    if form == "tex":
        from .inspection.tikz import tikz

        return document, _written(options.out, tikz(found.graph, beside=options.beside))
    text = found.to_text() if form == "text" else json.dumps(document, indent=2)
    return document, _written(options.out, text)


def objectives(options: Namespace) -> tuple[Document, str]:
    """``ccvae objectives``."""
    from .inspection.objectives import entries, table_latex, table_text

    form = _format(options, ("text", "json", "tex"))
    table = entries()
    document = {"objectives": [entry.to_json() for entry in table]}
    if form == "json":
        return document, _written(options.out, json.dumps(document, indent=2))
    text = table_text(table) if form == "text" else table_latex(table)
    return document, _written(options.out, text)


def data(options: Namespace) -> tuple[Document, str]:
    """``ccvae data``."""
    dataset = load_data(source_of(options), options.only)
    document = describe(dataset, Config.batch_size)
    text = description_text(document)
    if options.sheet is not None:
        contact_sheet(dataset, options.sheet)
        document["sheet"] = str(options.sheet)
        text += f"\ncontact sheet: {options.sheet}"
    return document, text


def app(options: Namespace) -> tuple[Document, str, Callable[[], None]]:
    """``ccvae app``; the third is what serves the page, once its address has been printed."""
    try:
        from .web.serve import prepare
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the page needs {error.name}, which is not installed: pip install 'ccvae[app]'"
        ) from error
    device = device_of(options.device)
    url, run, serve = prepare(options.directory, options.port, device, options.trust)
    text = f"{url} shows {run.directory}; press Ctrl-C to end"
    return {"url": url, "run": str(run.directory)}, text, serve


def _format(options: Namespace, known: Sequence[str]) -> str:
    """The format that was asked for, by name or by the ending of the file."""
    asked: str = options.format or (options.out.suffix[1:] if options.out else known[0])
    asked = {"txt": "text"}.get(asked, asked)
    if asked not in known:
        raise ValueError(f"unknown format {asked!r}; choose one of {', '.join(known)}")
    return asked


def _written(path: Path | None, text: str) -> str:
    """The text, or where it was written to."""
    if path is None:
        return text
    path.write_text(text + "\n")
    return str(path)
