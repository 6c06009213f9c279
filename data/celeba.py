"""CelebA: 202 599 faces with 40 binary attributes, from a folder of the user's.

The folder is laid out as torchvision leaves it, and the files are read as they are published:

===========================  =====================================================================
``img_align_celeba/``        ``000001.jpg`` …, 178 × 218 pixels
``list_attr_celeba.txt``     the number of images; the 40 names; for each image its name, and 1
                             or −1 for each attribute
``list_eval_partition.txt``  for each image its name, and 0 (train), 1 (valid) or 2 (test)
===========================  =====================================================================

They are read as they are passed on, too: in the folders ``Img``, ``Anno`` and ``Eval``; as Kaggle's
``.csv`` with the images one folder deeper; as PNG; and as a subset of the images.

Training rows are the official training part, test rows the official test part (or, to choose
something by, the validation part); the remaining part is loaded and used for neither.

References:
    - Z. Liu, P. Luo, X. Wang, X. Tang. Deep learning face attributes in the wild. ICCV 2015.
    - T. Joy, S. M. Schmon, P. H. S. Torr, N. Siddharth, T. Rainforth. Capturing label
      characteristics in VAEs. ICLR 2021, arXiv 2006.10102.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from .cache import decoded as decoded
from .cache import tolerable
from .celeba_lists import PARTS, read_attributes, read_partition
from .dataset import Dataset
from .decode import Decoding
from .forms import Binary, Categorical, Label
from .labels import LabelSpace
from .symmetries import Symmetries

IMAGES, ATTRIBUTES, PARTITION = (
    "img_align_celeba",
    "list_attr_celeba.txt",
    "list_eval_partition.txt",
)

PAPER = (
    *("Arched_Eyebrows", "Bags_Under_Eyes", "Bangs", "Black_Hair", "Blond_Hair", "Brown_Hair"),
    *("Bushy_Eyebrows", "Chubby", "Eyeglasses", "Heavy_Makeup", "Male", "No_Beard", "Pale_Skin"),
    *("Receding_Hairline", "Smiling", "Wavy_Hair", "Wearing_Necktie", "Young"),
)
"""The 18 labels of the CC-VAE paper [2]."""

HAIR = Categorical("Hair", ("Bald", "Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"))
"""The poster's label with five classes, made of five attributes that exclude each other."""


def celeba(
    root: Path,
    *,
    only: Sequence[str] = (),
    decoding: Decoding | None = None,
    test_on: str = "test",
) -> Dataset:
    """CelebA.

    Args:
        root: the folder that holds ``celeba/``, as given to torchvision, or that folder itself.
        only: names of attributes, and ``Hair``; the paper's 18 by default.
        decoding: the images' size and crop.
        test_on: the official part that gives the test rows, ``"test"`` or ``"valid"``.

    Returns:
        images ``(N, 3, size, size)`` of bytes, mapped from a cache; labels without gaps but for
        ``Hair``, which is missing where none of its attributes holds or several do.

    Raises:
        OSError: where a file is missing or the cache cannot be written.
        ValueError: for an unknown label or part, or a file that is not as published.
    """
    if test_on not in PARTS[1:]:
        raise ValueError(f"expected the official part valid or test to test on, got {test_on!r}")
    files = locate(root)
    names, header, values = read_attributes(files.attributes)
    parts = read_partition(files.partition, names)
    named, rows, absent = present(files.images, names)
    space, labels, problems = _labels(header, values[rows], only or PAPER)
    found = decoded(files.images, named, decoding or Decoding())
    problems += absent + found.problems
    parts = parts[rows][found.rows]
    train, test = ((parts == PARTS.index(part)).nonzero()[:, 0] for part in ("train", test_on))
    for part, some in (("train", train), (test_on, test)):
        if len(some) == 0:
            raise ValueError(f"{files.partition}: expected images of the part {part}, got none")
    unused = len(parts) - len(train) - len(test)
    problems += [f"{unused} images of the other official part are used for neither"] * (unused > 0)
    return Dataset(
        "celeba",
        found.images,
        labels[found.rows],
        None,
        space,
        train,
        test,
        tuple(problems),
        symmetries=Symmetries(mirrored=True),
        digest=found.digest,
    )


class Files(NamedTuple):
    """The folder with the images, and the two lists."""

    images: Path
    attributes: Path
    partition: Path


_PLACES = {
    IMAGES: (
        *(f"{IMAGES}/{IMAGES}", IMAGES, f"Img/{IMAGES}", f"{IMAGES}_png", f"{IMAGES}_png.7z"),
        *(f"Img/{IMAGES}_png", f"Img/{IMAGES}_png.7z/{IMAGES}_png"),
    ),
    ATTRIBUTES: (ATTRIBUTES, f"Anno/{ATTRIBUTES}", "list_attr_celeba.csv"),
    PARTITION: (PARTITION, f"Eval/{PARTITION}", "list_eval_partition.csv"),
}
"""Where each is found within the folder of CelebA."""


def locate(root: Path) -> Files:
    """The folder with the images and the two lists.

    Raises:
        FileNotFoundError: naming what is missing and how to get it.
    """
    folder = next((f for name in ("celeba", "CelebA") if (f := root / name).is_dir()), root)
    found = []
    for name, places in _PLACES.items():
        path = next((p for place in places if (p := folder / place).exists()), None)
        if path is None or (name == IMAGES and not path.is_dir()):
            advice = (
                f"unpack {IMAGES}.zip there"
                if name == IMAGES and (folder / f"{IMAGES}.zip").exists()
                else "give the folder that torchvision's CelebA uses, or --download to fetch it"
            )
            raise FileNotFoundError(f"no CelebA in {root}: expected {folder / name}; {advice}")
        found.append(path)
    return Files(*found)


def find(root: Path) -> Path:
    """The folder with the images and the two lists, as torchvision lays it out.

    Raises:
        FileNotFoundError: naming what is missing and how to get it.
    """
    locate(root)
    return root / "celeba" if (root / "celeba").is_dir() else root


def present(folder: Path, names: Sequence[str]) -> tuple[list[str], Tensor, list[str]]:
    """The images that are there, their rows in the list, and what is to be said about the others.

    Images may be PNG where the list says JPEG. Where a few are missing, they are asked for all the
    same, so that each is named; where more are, the folder is a subset.
    """
    files = {entry.name for entry in os.scandir(folder)}
    turned = {os.path.splitext(name)[0]: name for name in files if name.lower().endswith(".png")}
    actual = [n if n in files else turned.get(os.path.splitext(n)[0], n) for n in names]
    rows = [row for row, name in enumerate(actual) if name in files]
    absent = len(names) - len(rows)
    if not rows or tolerable(absent, len(names)):
        return actual, torch.arange(len(names)), []
    note = f"{len(rows)} of the {len(names)} images of the list are in {folder}; the others are not"
    return [actual[row] for row in rows], torch.tensor(rows), [f"{note} used"]


def download(root: Path) -> None:
    """Fetch CelebA through torchvision, unless it is there.

    Raises:
        OSError: where that fails, with what to do instead.
    """
    from torchvision.datasets import CelebA

    try:
        find(root)
        return
    except FileNotFoundError:
        pass
    try:
        CelebA(str(root), download=True)
    except Exception as error:  # whatever the network and the packages it needs come up with
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OSError(
            f"could not download CelebA to {root} ({reason}); fetch {IMAGES}.zip, {ATTRIBUTES} and "
            f"{PARTITION} by hand from mmlab.ie.cuhk.edu.hk/projects/CelebA.html and unpack them "
            f"in {root / 'celeba'}"
        ) from error


def _labels(
    header: Sequence[str], values: Tensor, names: Sequence[str]
) -> tuple[LabelSpace, Tensor, list[str]]:
    """The labels asked for, their codes ``(N, L)``, and what was found about them."""
    column = dict(zip(header, values.T, strict=True))
    problems = []
    labels: list[Label] = []
    codes = []
    for name in names:
        if name == HAIR.name and set(HAIR.classes) <= set(header):
            hair = torch.stack([column[part] for part in HAIR.classes], -1)
            count = hair.sum(-1)
            problems.append(
                f"Hair is missing where {', '.join(HAIR.classes[:-1])} and {HAIR.classes[-1]} do "
                f"not say: {int((count == 0).sum())} rows have none and {int((count > 1).sum())} "
                "have several"
            )
            labels.append(HAIR)
            codes.append(torch.where(count == 1, hair.float().argmax(-1).float(), torch.nan))
        elif name in column:
            labels.append(Binary(name))
            codes.append(column[name].float())
        else:
            raise ValueError(f"unknown label {name!r}; CelebA has {', '.join(header)} and Hair")
    return LabelSpace(labels), torch.stack(codes, -1), problems
