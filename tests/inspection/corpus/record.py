"""What a program of the corpus is known to be: its density, derived by hand, and all that follows.

The density is written in the names of the sites, in the order of the program::

    p(a) p(b|a) d(c|b) f(penalty|c) p(x|c,covariates)

``p`` or ``q`` is a distribution, ``f`` a factor, ``d`` a deterministic site. A parent that is no
site is an argument of the program. Sites that are drawn together stand together: ``q(a,b|x)``.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

TERM = re.compile(r"(?P<kind>[pqfd])\((?P<of>[^|()]*)(?:\|(?P<given>[^()]*))?\)")


class Factor(NamedTuple):
    """One factor of a density: what it is of, and given what."""

    kind: str
    of: frozenset[str]
    given: frozenset[str]


@dataclass(frozen=True)
class Case:
    """A program, and what is true of it.

    Attributes:
        name, topic: of the program.
        model: the program. make_guide: a function that returns its guide, or None.
        args, kwargs: what both are called with.
        density: of the model, as above. guide_density: of the guide, likewise; several with ``or``
            between them where a reader may write either.
        observed, partly: sites that the program gives values to, in all or in some rows.
        plates: ``"rows 5: y z; words 3: z"``: name, size, sites in it, from outer to inner.
        loops: names of sequential plates, which are loops and not boxes.
    """

    name: str
    topic: str
    model: Callable[..., Any]
    density: str
    observed: str = ""
    partly: str = ""
    plates: str = ""
    loops: str = ""
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    make_guide: Callable[[], Callable[..., Any]] | None = None
    guide_density: str = ""

    @property
    def factors(self) -> list[Factor]:
        """The factors of the model's density."""
        return parse(self.density)

    @property
    def sites(self) -> list[str]:
        """The model's sites, the deterministic ones among them."""
        return [name for factor in self.factors for name in factor.of]

    @property
    def roles(self) -> dict[str, str]:
        """What every variable is."""
        roles = {
            name: {"p": "latent", "f": "factor", "d": "deterministic"}[factor.kind]
            for factor in self.factors
            for name in factor.of
        }
        given = [name for factor in self.factors for name in factor.given]
        roles |= dict.fromkeys((name for name in given if name not in roles), "input")
        roles |= dict.fromkeys(self.observed.split(), "observed")
        return roles | dict.fromkeys(self.partly.split(), "partly observed")

    @property
    def all_edges(self) -> set[tuple[str, str]]:
        """Parents and children, deterministic sites among them."""
        return {(a, b) for factor in self.factors for a in factor.given for b in factor.of}

    @property
    def edges(self) -> set[tuple[str, str]]:
        """Parents and children, looking through deterministic sites."""
        return {
            (a, b) for factor in hide_deterministic(self.factors) for a in factor.given
            for b in factor.of
        }  # fmt: skip

    @property
    def boxes(self) -> dict[str, tuple[int, set[str]]]:
        """Size and sites of every plate."""
        boxes = {}
        for entry in filter(None, map(str.strip, self.plates.split(";"))):
            head, _, members = entry.partition(":")
            name, size = head.split()
            boxes[name] = int(size), set(members.split())
        return boxes


def parse(density: str) -> list[Factor]:
    """The factors of a density as the corpus writes it."""
    rest = TERM.sub("", density).strip()
    assert not rest, f"expected factors like p(a|b,c), got {rest!r}"
    return [
        Factor(
            match["kind"],
            frozenset(match["of"].replace(" ", "").split(",")),
            frozenset(filter(None, (match["given"] or "").replace(" ", "").split(","))),
        )
        for match in TERM.finditer(density)
    ]


def hide_deterministic(factors: Iterable[Factor]) -> list[Factor]:
    """The same density without deterministic sites: who is given one is given its parents."""
    through: dict[str, frozenset[str]] = {}
    found = []
    for factor in factors:
        given = frozenset(b for a in factor.given for b in through.get(a, frozenset({a})))
        if factor.kind == "d":
            through |= dict.fromkeys(factor.of, given)
        else:
            found.append(factor._replace(given=given))
    return found


CASES: list[Case] = []
"""All programs, in the order in which the modules of the corpus were read."""


def case(topic: str, density: str, **known: Any) -> Callable[[Any], Any]:
    """Add the program below to the corpus, with what is known of it."""

    def add(model: Any) -> Any:
        name = known.pop("name", None) or model.__name__
        CASES.append(Case(name, topic, model, " ".join(density.split()), **known))
        return model

    return add


def guided(name: str, of: str, density: str) -> Callable[[Any], Any]:
    """Add the model of the case ``of`` once more, with a guide that the function below returns."""

    def add(make: Any) -> Any:
        (before,) = [case for case in CASES if case.name == of]
        known = vars(before) | {"name": name, "make_guide": make, "guide_density": density}
        CASES.append(Case(**known))
        return make

    return add
