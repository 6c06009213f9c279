"""``python -m ccvae.benchmarks.inspection``: inspection beside Pyro's own, on a corpus of programs.

The corpus lies in the checkout's ``tests/inspection/corpus``: programs written from the topics of
Pyro's documentation, each with its density by hand.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

CORPUS = Path("tests/inspection/corpus")


def load_corpus(root: Path | None = None) -> ModuleType:
    """The corpus as a module, read from a checkout, as tests are in no package.

    Args:
        root: the checkout; the one that this file lies in by default.

    Raises:
        FileNotFoundError: where there is none.
    """
    folder = (root or Path(__file__).resolve().parent.parent) / CORPUS
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
