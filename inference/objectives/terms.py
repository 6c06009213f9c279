"""The names of terms: what they mean, read in one place.

=======  =======================================================================================
part     what it may be
=======  =======================================================================================
sign     ``-``, or nothing
part     ``weight_1`` of the first objective of a sum and so on, and a space; or nothing
weight   ``alpha``, ``alpha_NAME``, ``(alpha-1)``, ``beta`` or ``w``, and a space; or nothing
body     ``log`` and a density, or plain words without it, as ``score function``
=======  =======================================================================================

So ``-beta log q(z_c|x)`` is a term with the sign −, the weight β and the body ``log q(z_c|x)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

LOG = "log "
"""What the body of a density begins with."""

_ALPHA = r"alpha(?:_\w+)?"
_WEIGHT = rf"{_ALPHA}|\({_ALPHA}[-+]\d+\)|beta|w"
_BODY = rf"{LOG}.+|(?!.*\blog\b)\w+(?: \w+)*"
_NAME = re.compile(
    rf"(?P<sign>-?)(?:weight_(?P<part>\d+) )?(?:(?P<weight>{_WEIGHT}) )?(?P<body>{_BODY})"
)


@dataclass(frozen=True)
class Term:
    """What a term's name says.

    Attributes:
        negative: whether it has the sign −.
        weight: what it is multiplied by, ``""`` for 1.
        body: what is weighed. part: of a sum that it is of, from 1; 0 for none.
    """

    negative: bool
    weight: str
    body: str
    part: int = 0

    @property
    def in_bound(self) -> bool:
        """Whether it belongs to the bound within an objective; an α makes it a classifier's."""
        return not self.weight.lstrip("(").startswith("alpha")


@cache
def parse(name: str) -> Term:
    """Read the name of a term.

    Raises:
        ValueError: for a name that says nothing by the grammar above.

    >>> parse("-(alpha_y-1) log q(y_observed|x)")
    Term(negative=True, weight='(alpha_y-1)', body='log q(y_observed|x)', part=0)
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(
            f"expected a term's name as '-beta log q(z|x)', got {name!r}; write its sign, its "
            "weight (alpha, alpha_NAME, (alpha-1), beta or w) and 'log …', or plain words"
        )
    return Term(match["sign"] == "-", match["weight"] or "", match["body"], int(match["part"] or 0))
