"""What the lessons' exercises share: an answer is looked at, and what is wrong with it is said."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


def told(check: Callable[P, None]) -> Callable[P, None]:
    """A check of an answer that says what is wrong with one that it cannot read.

    Args:
        check: looks at a reader's answer and prints what it thinks of it.

    Returns:
        The same, which prints a line that begins with ``not yet`` where ``check`` raises.

    Examples:
        >>> @told
        ... def check(answer):
        ...     print("right" if round(answer, 1) == 0.7 else "not yet")
        >>> check(0.69)
        right
        >>> check("two thirds")
        not yet: TypeError: type str doesn't define __round__ method
    """

    @wraps(check)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            check(*args, **kwargs)
        except Exception as error:  # whatever an answer raises
            print(f"not yet: {type(error).__name__}: {error}")

    return checked
