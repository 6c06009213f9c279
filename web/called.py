"""What variables are called before people: as the figure writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..inspection.writing.notation import UNICODE


def symbols(names: Iterable[str]) -> dict[str, str]:
    r"""How the figure writes those sites that it calls otherwise, as ``z_style``, ``z_\c``.

    One whose symbol is another's name, or has signs that stand between names, keeps its own.
    """
    known = set(names)
    found = {name: UNICODE.symbol(name) for name in sorted(known)}
    counts = [*known, *found.values()]
    return {
        name: symbol
        for name, symbol in found.items()
        if symbol != name and not re.search(r"[,{}\[\]]", symbol) and counts.count(symbol) == 1
    }


def written(text: str, called: Mapping[str, str]) -> str:
    """A text with the symbols of variables in the place of their sites' names."""
    if not called:
        return text
    names = "|".join(re.escape(name) for name in sorted(called, key=len, reverse=True))
    return re.sub(rf"(?<![\w.\\])(?:{names})(?!\w)", lambda found: called[found[0]], text)


def site_of(name: str, called: Mapping[str, str]) -> str:
    """The site that a symbol, or a cell of one, is of; another name as it is."""
    base, bracket, cell = name.partition("[")
    sites = {symbol: site for site, symbol in called.items()}
    return sites.get(base, base) + bracket + cell
