"""The source of a program beside its graph: which lines state which node."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from .arguments import innermost
from .graph import Graph
from .sites import Record


@dataclass(frozen=True)
class Source:
    """The method or function that a program runs.

    Attributes:
        path: the file's name with its folder, for a heading.
        start: the number of the first line.
        lines: the lines as they stand in the file.
        nodes: for each line by its number, the nodes that it states.
    """

    path: str
    start: int
    lines: tuple[str, ...]
    nodes: dict[int, tuple[str, ...]]


def read_source(program: Callable[..., Any], record: Record, graph: Graph) -> Source:
    """The source of a program, with the lines that state the nodes of a graph.

    Args:
        program: a module or a function. record: its sites in a run. graph: what they belong to.

    Raises:
        ValueError: where there is no source, as of what was typed into an interpreter.
    """
    program = innermost(program)
    function = type(program).forward if isinstance(program, nn.Module) else program
    try:
        lines, start = inspect.getsourcelines(function)
        path = Path(inspect.getsourcefile(function) or "")
    except (OSError, TypeError) as error:
        raise ValueError(f"no source of {program!r} can be read ({error})") from error
    nodes: dict[int, tuple[str, ...]] = {}
    for first, last, pattern in sample_statements("".join(lines)):
        found = {node_of(site, graph) for site in record.sites if _states(pattern, site)}
        named = tuple(name for name in graph.nodes if name in found)
        nodes |= dict.fromkeys(range(start + first - 1, start + last), named)
    plain = tuple(line.rstrip("\n") for line in lines)
    return Source(f"{path.parent.name}/{path.name}", start, plain, nodes)


def sample_statements(source: str) -> Iterator[tuple[int, int, str]]:
    """First and last line of every ``pyro.sample`` in a source, and a pattern of its site's name.

    >>> source = "def f():\\n    z = pyro.sample(f'z{k}_c',\\n        Normal(0, 1))"
    >>> list(sample_statements(source))
    [(2, 3, 'z.*_c')]
    """
    for node in ast.walk(ast.parse(textwrap.dedent(source))):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name == "sample" and (pattern := _pattern(node.args[0])):
            yield node.lineno, node.end_lineno or node.lineno, pattern


def node_of(site: str, graph: Graph) -> str | None:
    """The node that a site belongs to: the longest name of one that the site's name starts with.

    ``y_5_unobserved`` belongs to ``y``, and ``z_c_5`` to ``z_c`` although there may be a ``z``.
    """
    fitting = [name for name in graph.nodes if site == name or site.startswith(f"{name}_")]
    return max(fitting, key=len, default=None)


def _pattern(name: ast.expr) -> str:
    if isinstance(name, ast.Constant) and isinstance(name.value, str):
        return re.escape(name.value)
    if isinstance(name, ast.JoinedStr):
        parts = (
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*"
            for part in name.values
        )
        return "".join(parts)
    return ""


def _states(pattern: str, site: str) -> bool:
    """Whether a statement makes a site, be it one of the two halves of a masked observation."""
    return re.fullmatch(rf"(?:{pattern})(?:_observed|_unobserved)?", site) is not None
