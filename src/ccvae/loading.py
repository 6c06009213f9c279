"""What a user names as ``module:attribute``."""

from __future__ import annotations

import importlib
from functools import reduce
from typing import Any


def load_attribute(path: str) -> Any:
    """What ``module:attribute`` names, or ``module:object.attribute``.

    Raises:
        ValueError: where there is no such module or attribute, or the module fails.
    """
    module, _, attribute = path.partition(":")
    try:
        return reduce(getattr, attribute.split("."), importlib.import_module(module))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        # The last two are for a name that is a path, as ./mine.py, or empty.
        raise ValueError(
            f"cannot load {path!r}: {error}; give module:attribute of something importable, the "
            "module without a path and without .py"
        ) from error
