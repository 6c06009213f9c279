"""The figure of a pair of programs in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .graph import Graph
from .inspection import inspect_pair


def render(
    model: Any,
    guide: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    filename: str | Path | None = None,
    beside: bool = False,
    deterministic: bool = False,
) -> Graph:
    """The plate diagram of two programs in one call, as ``pyro.render_model`` draws that of one.

    Nothing besides the suite's own requirements is needed, graphviz in particular.

    Args:
        model, guide: Pyro programs; None for a model without a guide.
        args, kwargs: what both are called with.
        filename: where the figure is written as well; its ending decides: svg, png, pdf or tex.
        beside: there, the guide to the right of the model.
        deterministic: draw ``pyro.deterministic`` as nodes.

    Returns:
        The graph, which shows itself in a notebook.

    Raises:
        ValueError: where a program fails, or for another ending.
    """
    if isinstance(guide, list | tuple):
        raise ValueError("expected a guide or None, got a sequence; give the arguments as args=")
    found = inspect_pair(model, guide, *args, deterministic=deterministic, **(kwargs or {}))
    if filename is not None:
        save(found.shown(), Path(filename), beside=beside)
    return found.graph


def save(graph: Graph, path: Path, *, beside: bool = False) -> None:
    """Write a figure; the ending of the name decides the format.

    Raises:
        ValueError: for another ending than svg, png, pdf or tex.
    """
    if path.suffix == ".tex":
        from .tikz import tikz

        path.write_text(tikz(graph, beside=beside))
    elif path.suffix in (".svg", ".png", ".pdf"):
        from .figure import save_graph

        save_graph(graph, path, beside=beside)
    else:
        raise ValueError(f"unknown format {path.suffix!r}; name a file .svg, .png, .pdf or .tex")
