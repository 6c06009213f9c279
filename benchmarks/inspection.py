"""``python -m ccvae.benchmarks.inspection``: reading programs, beside Pyro's own tools.

Writes ``docs/tables/inspection.md`` and ``.json``. The corpus lies in the checkout's
``tests/inspection/corpus``: programs from the topics of Pyro's documentation, each with its
density by hand. Of every program three tools say what it is: :func:`ccvae.inspection.inspect_pair`,
and Pyro's ``get_model_relations`` and ``get_dependencies``. Pyro's are only held to what they speak
of: no arguments, no sizes of plates, no densities; a plate that is shown in two parts counts as
one, as do the halves of ``obs_mask``; ``get_dependencies`` names no parents that are observed, and
looks through sites that are a ``Delta``.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyro
import torch
from pyro.infer.inspect import get_dependencies, get_model_relations

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path("tests/inspection/corpus")
TABLE = Path("docs/tables/inspection.md")

RIGHT, WRONG, FAILS = "right", "wrong", "traceback"
TOOLS = ("ccvae", "get_model_relations", "get_dependencies")
NOTE = """\
Programs written for this table from the topics of Pyro's documentation, each with its density
derived by hand. *Right*: every edge, role and plate, and for ccvae also the sizes of the plates,
the arguments, the density, and the guide's edges and density where there is a guide. Pyro's tools
are held only to what they speak of: edges between sites (`get_dependencies`: from latent sites),
what is observed, which sites a plate holds; a plate shown in two parts counts as one, and so do
the halves of `obs_mask`. In the rows of guides they are run on the guide, whose edges are compared.
The corpus is what inspection is developed with, so its own column says that nothing has been lost
and not how it does on the next program: of the first 146 programs it was right on 92 before it was
changed for them, of 44 that were added later on 42 at first sight, and of the 14 that a look at
Pyro's own tests and examples left behind on 8.
Reprinted by `python -m ccvae.benchmarks.inspection` from a checkout; the details are in
[inspection.json](inspection.json)."""

Edges = set[tuple[str, str]]


def load_corpus(root: Path = ROOT) -> ModuleType:
    """The corpus as a module, read from a checkout, as tests are in no package.

    Args:
        root: the checkout; the one that this file lies in by default.

    Raises:
        FileNotFoundError: where there is none.
    """
    folder = root / CORPUS
    if not (folder / "__init__.py").exists():
        raise FileNotFoundError(
            f"expected a corpus of programs in {folder}, found none; run this from a checkout"
        )
    name = "ccvae_corpus"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def judge(tool: Callable[[Any], list[str]], case: Any) -> tuple[str, list[str]]:
    """One tool on one program: right, wrong or a traceback, and why."""
    pyro.clear_param_store()
    pyro.set_rng_seed(0)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            said = tool(case)
    except Exception as error:  # what a tool cannot read is one of the three answers
        lines = str(error).splitlines() or [""]
        return FAILS, [f"{type(error).__name__}: {lines[0][:120]}"]
    return (WRONG if said else RIGHT), said


def ours(case: Any) -> list[str]:
    """What this suite's inspection gets wrong."""
    corpus = load_corpus()
    found: list[str] = corpus.faults(case, corpus.look(case))
    return found


def relations(case: Any) -> list[str]:
    """What Pyro's ``get_model_relations`` gets wrong."""
    whole = _halves(case)
    if case.make_guide:
        return _guide(case, get_model_relations(case.make_guide(), case.args, dict(case.kwargs)))
    found = get_model_relations(case.model, case.args, dict(case.kwargs))
    shown = {name for name, role in case.roles.items() if role not in ("deterministic", "input")}
    plates: dict[str, set[str]] = {}
    for plate, members in found["plate_sample"].items():
        inside = plates.setdefault(plate.split("__CLONE")[0], set())
        inside |= {whole.get(name, name) for name in members} & shown
    known = {name: members & shown for name, (_, members) in case.boxes.items()}
    loops = set(case.loops.split())
    return [
        *_difference("edges", _between(case.edges, shown), _site_edges(found, whole, shown)),
        *_difference("observed", _observed(case), _seen(found, whole, shown)),
        *_difference("plates", _frozen(known), _frozen(plates, loops)),
    ]


def dependencies(case: Any) -> list[str]:
    """What the prior dependences of Pyro's ``get_dependencies`` get wrong."""
    if case.make_guide:
        found = get_dependencies(case.make_guide(), case.args, dict(case.kwargs))
        shown = set(case.sites) & set(found["prior_dependencies"])
        options = [_guide_edges(case, one) for one in _options(case)]
        edges = {(a, b) for b, of in found["prior_dependencies"].items() for a in of if a != b}
        extra = set(found["prior_dependencies"]) - shown - _named(case)
        return _difference("sites", set(), extra) + _nearest("edges", options, edges)
    found = get_dependencies(case.model, case.args, dict(case.kwargs))
    prior, whole = found["prior_dependencies"], _halves(case)
    traced = pyro.poutine.trace(case.model).get_trace(*case.args, **case.kwargs)
    deltas = {n for n in case.sites if n in traced and _is_delta(traced.nodes[n]["fn"])}
    deltas -= set(case.partly.split())
    edges = {(whole.get(a, a), whole.get(b, b)) for b, of in prior.items() for a in of}
    right = {(a, b) for a, b in _through(case.edges, deltas) if case.roles.get(a) == "latent"
             or case.roles.get(a) == "partly observed"}  # fmt: skip
    return _difference("edges", right, {(a, b) for a, b in edges if a != b})


def _is_delta(fn: Any) -> bool:
    while hasattr(fn, "base_dist"):
        fn = fn.base_dist
    return type(fn).__name__ == "Delta"


def _through(edges: Edges, hidden: set[str]) -> Edges:
    """The edges without some nodes: who pointed to one points to its children."""
    for name in hidden:
        above = {a for a, b in edges if b == name}
        below = {b for a, b in edges if a == name}
        kept = {edge for edge in edges if name not in edge}
        edges = kept | {(a, b) for a in above for b in below}
    return edges


def _halves(case: Any) -> dict[str, str]:
    partly = case.partly.split()
    return {f"{name}_{half}": name for name in partly for half in ("observed", "unobserved")}


def _between(edges: Edges, names: set[str]) -> Edges:
    return {(a, b) for a, b in edges if a in names and b in names}


def _site_edges(found: Any, whole: dict[str, str], shown: set[str]) -> Edges:
    edges = {
        (whole.get(a, a), whole.get(b, b))
        for b, parents in found["sample_sample"].items()
        for a in parents
    }
    return {(a, b) for a, b in _between(edges, shown) if a != b}


def _observed(case: Any) -> set[str]:
    return {name for name, role in case.roles.items() if role == "observed"}


def _seen(found: Any, whole: dict[str, str], shown: set[str]) -> set[str]:
    """What is observed, without factors, which Pyro counts in, and halves of sites."""
    factors = {name for name, kind in found["sample_dist"].items() if kind == "Unit"}
    return {n for n in found["observed"] if n in shown - factors and n not in whole.values()}


def _frozen(plates: dict[str, set[str]], but: set[str] | None = None) -> set[tuple[str, str]]:
    return {(n, " ".join(sorted(inside))) for n, inside in plates.items() if n not in (but or ())}


def _options(case: Any) -> list[Any]:
    corpus = load_corpus()
    return [corpus.parse(one) for one in case.guide_density.split(" or ")]


def _named(case: Any) -> set[str]:
    return {name for one in _options(case) for factor in one for name in factor.of}


def _guide_edges(case: Any, factors: Any) -> Edges:
    """Edges of a guide between what it draws; the data's are not asked for."""
    own = {name for factor in factors for name in factor.of}
    return {(a, b) for factor in factors for a in factor.given & own for b in factor.of}


def _guide(case: Any, found: Any) -> list[str]:
    extra = set(found["sample_sample"]) - _named(case) - _observed(case)
    edges = {(a, b) for b, parents in found["sample_sample"].items() for a in parents}
    right = [_guide_edges(case, one) for one in _options(case)]
    return _difference("sites", set(), extra) + _nearest("edges", right, edges)


def _nearest(what: str, right: list[Edges], found: Edges) -> list[str]:
    return min((_difference(what, one, found) for one in right), key=len)


def _difference(what: str, right: set[Any], found: set[Any]) -> list[str]:
    said: list[str] = load_corpus().difference(what, right, found)
    return said


def measure() -> dict[str, Any]:
    """Every tool on every program."""
    tools = dict(zip(TOOLS, (ours, relations, dependencies), strict=True))
    programs = [
        {"name": case.name, "topic": case.topic, "guide": bool(case.make_guide)}
        | {name: dict(zip(("answer", "why"), judge(tool, case), strict=True))
           for name, tool in tools.items()}
        for case in load_corpus().CASES
    ]  # fmt: skip
    versions = {"pyro": pyro.__version__, "torch": torch.__version__.split("+")[0]}
    return {"versions": versions, "programs": programs}


def markdown(found: dict[str, Any]) -> str:
    """Totals, a row a topic, and every program that a tool is not right on."""
    programs = found["programs"]
    lines = ["# Reading programs, beside Pyro's own tools", "", NOTE, ""]
    lines += [f"Pyro {found['versions']['pyro']}, torch {found['versions']['torch']}.", ""]
    lines += [
        "| tool | right | wrong | traceback | right with a guide |",
        "|---|---:|---:|---:|---:|",
    ]
    for tool in TOOLS:
        counts = Counter(p[tool]["answer"] for p in programs if not p["guide"])
        paired = [p[tool]["answer"] for p in programs if p["guide"]]
        lines.append(
            f"| {_title(tool)} | {counts[RIGHT]} of {counts.total()} | {counts[WRONG]} "
            f"| {counts[FAILS]} | {paired.count(RIGHT)} of {len(paired)} |"
        )
    lines += ["", "Right by topic, models alone:", ""]
    lines += [
        f"| topic | programs | {' | '.join(map(_title, TOOLS))} |",
        "|---" + "|---:" * 4 + "|",
    ]
    models = [p for p in programs if not p["guide"]]
    for topic in dict.fromkeys(p["topic"] for p in models):
        rows = [p for p in models if p["topic"] == topic]
        right = [str(sum(p[tool]["answer"] == RIGHT for p in rows)) for tool in TOOLS]
        lines.append(f"| {topic} | {len(rows)} | {' | '.join(right)} |")
    lines += ["", "Programs that one of them is not right on:", ""]
    lines += [f"| program | {' | '.join(map(_title, TOOLS))} |", "|---" * 4 + "|"]
    for p in programs:
        answers = [p[tool]["answer"] for tool in TOOLS]
        if set(answers) != {RIGHT}:
            guide = ", guide" if p["guide"] else ""
            lines.append(f"| {p['name']}{guide} | {' | '.join(answers)} |")
    return "\n".join(lines) + "\n"


def _title(tool: str) -> str:
    return tool if tool == "ccvae" else f"Pyro's `{tool}`"


def main() -> None:
    """Measure, write the table, print its totals."""
    parser = argparse.ArgumentParser(prog="python -m ccvae.benchmarks.inspection")
    parser.add_argument("--out", type=Path, default=ROOT / TABLE, help="the table in Markdown")
    path = parser.parse_args().out
    found = measure()
    path.write_text(markdown(found))
    path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    print("\n".join(markdown(found).split("\n\n")[3].splitlines()))


if __name__ == "__main__":
    main()
