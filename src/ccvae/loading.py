"""What a user's words name: one of the suite's own things, or ``module:attribute``."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Iterable
from functools import reduce
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

from .faults import place_of
from .words import GIVEN

Kind = TypeVar("Kind")

MOST_NAMES = 12
"""Names that a complaint lists of a module's."""


def choose(what: str, name: str, known: Iterable[str]) -> None:
    """Raise unless ``name`` is known.

    Raises:
        ValueError: listing the names that are.
    """
    known = list(known)
    if name not in known:
        meant = near(name, known)
        raise ValueError(f"unknown {what} {name!r}{meant}; choose one of {', '.join(known)}")


def near(name: str, known: Iterable[str]) -> str:
    """A question for the name that was meant, where one is near.

    >>> near("trian", ["train", "study"])
    " (did you mean 'train'?)"
    """
    found = difflib.get_close_matches(name, known, 1, cutoff=0.7)
    return f" (did you mean {found[0]!r}?)" if found else ""


def load_attribute(path: str) -> Any:
    """What ``module:attribute`` or ``module:object.attribute`` names.

    The module may be a file of the working directory. Importing runs it, so the name must be the
    user's own word, never a file's.

    Raises:
        ValueError: where there is no such module or attribute, or the module fails.
    """
    return _attribute(path, importlib.import_module)


def fresh_attribute(path: str, made: dict[str, Any]) -> Any:
    """The same of a module that is run anew, so that nobody has changed what it holds.

    Args:
        made: modules that were run for this purpose, by name; they are not run once more.

    Raises:
        ValueError: as :func:`load_attribute`.
    """

    def run(name: str) -> Any:
        if name not in made:
            before = None if name == "__main__" else sys.modules.pop(name, None)
            try:
                made[name] = importlib.import_module(name)
            except BaseException:
                if before is not None:
                    sys.modules[name] = before
                raise
        return made[name]

    return _attribute(path, run)


def _attribute(path: str, find: Callable[[str], Any]) -> Any:
    """What a path names in the module that ``find`` returns for its first part."""
    module, _, attribute = path.partition(":")
    if module == GIVEN:  # which a run may name without being trusted
        raise ValueError(
            f"cannot load {path!r}: it was an object in Python, which no file names; look at it "
            "there, with what ccvae.fit returned, or returns once more with resume=True"
        )
    if "" not in sys.path:
        sys.path.append("")  # last, and only once somebody has named a module
    try:
        return reduce(getattr, attribute.split("."), find(module))
    except (Exception, SystemExit) as error:
        # Whatever a module does while it is imported, and a name that is a path, as ./mine.py.
        place = place_of(error)
        if place:
            missing = isinstance(error, ImportError)
            advice = "install what it imports" if missing else "correct what it does"
            reason = f"cannot load {path!r}: {type(error).__name__} at {place} ({error})"
            raise ValueError(f"{reason}; {advice} there") from error
        raise ValueError(
            f"cannot load {path!r}: {error}{_there(module, attribute)}; give module:attribute of "
            "something importable, the module without a path and without .py"
        ) from error


def _there(module: str, attribute: str) -> str:
    """What there is in the place of a module or an attribute that is not found, in words."""
    loaded = sys.modules.get(module)
    if loaded is None:
        files = {file.stem for file in Path.cwd().glob("*.py")} - {module}
        return near(module, sorted(files))
    names = [name for name, value in vars(loaded).items() if _is_of(value, module)]
    listed = f"; it has {', '.join(names[:MOST_NAMES])}" if names else ""
    return f"{near(attribute, names)}{listed}"


def _is_of(value: object, module: str) -> bool:
    """Whether a module's class or function was written in it."""
    return isinstance(value, type | FunctionType) and value.__module__ == module


def load_class(path: str, base: type[Kind]) -> type[Kind]:
    """The class that ``module:attribute`` names.

    Args:
        base: what it must be a subclass of.

    Raises:
        ValueError: where there is no such attribute, or it is something else.
    """
    found = load_attribute(path)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ValueError(
            f"expected {path!r} to name a subclass of {base.__module__}.{base.__qualname__}, got "
            f"{found!r}; name the class itself"
        )
    return found
