"""The figure of a pair of programs in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .graph import Graph
from .inspection import inspected


def render(
    model: Any,
    guide: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    filename: str | Path | None = None,
    beside: bool = False,
    deterministic: bool = False,
    distributions: bool = False,
) -> Graph:
    """The plate diagram of two programs in one call, as ``pyro.render_model`` draws that of one.

    Nothing besides the suite's own requirements is needed, graphviz in particular.

    Args:
        model, guide: Pyro programs; None for a model without a guide.
        args, kwargs: what both are called with.
        filename: where the figure is written as well; its ending decides: svg, png, pdf or tex.
        beside: there, the guide to the right of the model.
        deterministic: draw ``pyro.deterministic`` as nodes.
        distributions: in the file, in every node its distribution too.

    Returns:
        The graph, which shows itself in a notebook.

    Raises:
        ValueError: where a program fails, or for another ending.
    """
    if isinstance(guide, list | tuple):
        raise ValueError("expected a guide or None, got a sequence; give the arguments as args=")
    found = inspected(model, guide, args, kwargs or {}, deterministic=deterministic)
    if filename is not None:
        save(found.shown(), Path(filename), beside=beside, distributions=distributions)
    return found.graph


def save(
    graph: Graph,
    path: Path,
    *,
    beside: bool = False,
    numbers: bool = False,
    distributions: bool = False,
    caption: str = "",
) -> None:
    """Write a figure; the ending of the name decides the format.

    Raises:
        ValueError: for another ending than svg, png, pdf or tex.
    """
    # What draws is loaded here, and matplotlib for its formats alone: inspecting draws nothing.
    shown: dict[str, Any] = {
        "beside": beside,
        "numbers": numbers,
        "distributions": distributions,
        "caption": caption,
    }
    if path.suffix == ".tex":
        from .drawing.tikz import tikz

        path.write_text(tikz(graph, **shown))
    elif path.suffix in (".svg", ".png", ".pdf"):
        from .drawing.figure import save_graph

        save_graph(graph, path, **shown)
    else:
        raise ValueError(f"unknown format {path.suffix!r}; name a file .svg, .png, .pdf or .tex")
