"""Where an inspection differs from what is known of a program."""

import re
from typing import Any

from ccvae.inspection import LATEX, Inspection, guide_density, inspect_pair, joint

from .record import Case, Factor, hide_deterministic, parse

DENSITY = re.compile(r"(?<![A-Za-z])(?P<kind>p|q|\\psi)\((?P<inside>[^()]*)\)")


def nothing(*_: Any, **__: Any) -> None:
    """A guide without a statement, for programs that have none."""


def look(case: Case) -> Inspection:
    """What the suite sees in a program of the corpus."""
    guide = case.make_guide() if case.make_guide else nothing
    return inspect_pair(case.model, guide, *case.args, name=case.name, **case.kwargs)


def faults(case: Case, found: Inspection) -> list[str]:
    """What an inspection says that is not so, and what it leaves out; nothing if all is right."""
    graph = found.graph
    side = {s: {(e.parent, e.child) for e in graph.edges if e.side == s} for s in "pq"}
    guide = [hide_deterministic(parse(one)) for one in case.guide_density.split(" or ") if one]
    of_guide = {name for one in guide for f in one for name in f.of | f.given}
    own = {n: node for n, node in graph.nodes.items() if n not in of_guide - set(case.roles)}
    roles = {name: role for name, role in case.roles.items() if role != "deterministic"}
    said = [
        *difference("edges", case.edges, side["p"]),
        *difference("roles", set(roles.items()), {(n, node.role) for n, node in own.items()}),
        *difference("plates", _boxes(case), _found_boxes(found, case)),
        *_wrong_density(case, hide_deterministic(case.factors), joint(graph, LATEX)),
    ]
    if guide:
        right = [{(a, b) for f in one for a in f.given for b in f.of} for one in guide]
        if side["q"] not in right:
            said += difference("edges of the guide", right[0], side["q"])
        options = [_wrong_density(case, one, guide_density(graph, LATEX)) for one in guide]
        said += min(options, key=len)
    return said


def difference(what: str, right: set[Any], found: set[Any]) -> list[str]:
    """In words, or nothing."""
    words = (("missing", right - found), ("wrong", found - right))
    return [f"{what} {word}: {sorted(part)}" for word, part in words if part]


def _boxes(case: Case) -> set[tuple[Any, ...]]:
    hidden = {name for name, role in case.roles.items() if role == "deterministic"}
    return {
        (name, size, tuple(sorted(members - hidden)))
        for name, (size, members) in case.boxes.items()
    }


def _found_boxes(found: Inspection, case: Case) -> set[tuple[Any, ...]]:
    nodes = [node for name, node in found.graph.nodes.items() if name in case.roles]
    return {
        (name, sum(plate.sizes), tuple(sorted(n.name for n in nodes if name in n.plates)))
        for name, plate in found.graph.plates.items()
        if name not in case.loops.split()
    }


def _wrong_density(case: Case, right: list[Factor], written: str) -> list[str]:
    """Compares factors by symbol; their order, indices and products are left to other tests."""
    names = [name for factor in right for name in factor.of | factor.given]
    symbols = {LATEX.symbol(n, part): n for n in names for part in ("U", "O", "")}
    _, equals, product = re.split(r"( = | \\propto )", written, maxsplit=1) if (
        re.search(r" = | \\propto ", written)
    ) else ("", "", written)  # fmt: skip
    said = []
    if (r"\propto" in equals) != any(factor.kind == "f" for factor in right):
        said.append(f"density: normalised or not, it says {written[:60]!r}")
    found = [_read(match, symbols) for match in DENSITY.finditer(product)]
    if re.search(r"\\psi(?![(A-Za-z_^])", product):  # a factor that nothing is given to
        found.append(Factor("f", frozenset(), frozenset()))
    wanted = [f if f.kind != "f" else Factor("f", f.given, frozenset()) for f in right]
    return said + difference("density", set(map(_plain, wanted)), set(map(_plain, found)))


def _read(match: re.Match[str], symbols: dict[str, str]) -> Factor:
    inside = re.sub(r"\^\{[^{}]*\}", "", match["inside"])
    of, _, given = inside.partition(r" \mid ")
    kind = "f" if match["kind"] == r"\psi" else match["kind"]
    parts = [frozenset(symbols.get(s, f"?{s}") for s in part.split(", ") if s)
             for part in (of, given)]  # fmt: skip
    return Factor(kind, *parts)


def _plain(factor: Factor) -> tuple[Any, ...]:
    return factor.kind, tuple(sorted(factor.of)), tuple(sorted(factor.given))
