"""CelebA: 202 599 faces with 40 binary attributes, from a folder of the user's.

The folder is laid out as torchvision leaves it, and the files are read as they are published:

===========================  =====================================================================
``img_align_celeba/``        ``000001.jpg`` …, 178 × 218 pixels
``list_attr_celeba.txt``     the number of images; the 40 names; for each image its name, and 1
                             or −1 for each attribute
``list_eval_partition.txt``  for each image its name, and 0 (train), 1 (valid) or 2 (test)
===========================  =====================================================================

Training rows are the official training part, test rows the official test part (or, to choose
something by, the validation part); the remaining part is loaded and used for neither.

References:
    - Z. Liu, P. Luo, X. Wang, X. Tang. Deep learning face attributes in the wild. ICCV 2015.
    - T. Joy, S. M. Schmon, P. H. S. Torr, N. Siddharth, T. Rainforth. Capturing label
      characteristics in VAEs. ICLR 2021, arXiv 2006.10102.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .cache import decoded
from .dataset import Dataset
from .decode import Decoding
from .labels import Binary, Categorical, Label, LabelSpace
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

PARTS = ("train", "valid", "test")


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
    folder = find(root)
    names, header, values = read_attributes(folder / ATTRIBUTES)
    space, labels, problems = _labels(header, values, only or PAPER)
    parts = read_partition(folder / PARTITION, names)
    found = decoded(folder / IMAGES, names, decoding or Decoding())
    problems += found.problems
    parts = parts[found.rows]
    train, test = ((parts == PARTS.index(part)).nonzero()[:, 0] for part in ("train", test_on))
    for part, rows in (("train", train), (test_on, test)):
        if len(rows) == 0:
            raise ValueError(f"{folder / PARTITION}: expected images of the part {part}, got none")
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
        Symmetries(mirrored=True),
    )


def find(root: Path) -> Path:
    """The folder with the images and the two lists.

    Raises:
        FileNotFoundError: naming what is missing and how to get it.
    """
    folder = root / "celeba" if (root / "celeba").is_dir() else root
    for name in (IMAGES, ATTRIBUTES, PARTITION):
        if not (folder / name).exists():
            advice = (
                f"unpack {IMAGES}.zip there"
                if name == IMAGES and (folder / f"{IMAGES}.zip").exists()
                else "give the folder that torchvision's CelebA uses, or --download to fetch it"
            )
            raise FileNotFoundError(f"no CelebA in {root}: expected {folder / name}; {advice}")
    return folder


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


def read_attributes(path: Path) -> tuple[list[str], list[str], Tensor]:
    """The attribute list.

    Returns:
        the images' names, the attributes' names, and ``(N, 40)`` booleans.

    Raises:
        ValueError: naming the first line that is not as published.
    """
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    header = lines[1].split() if len(lines) > 1 else []
    if not header or not lines[0].strip().isdecimal():
        raise ValueError(
            f"{path}: expected the number of images in line 1 and the attributes' names in line 2, "
            f"got {' / '.join(lines[:2])[:60]!r}; use the file as CelebA publishes it"
        )
    names, table = [], bytearray()
    for number, line in enumerate(lines[2:], 3):
        name, *values = line.split() or [""]
        strange = "/" in name or not {"-1", "1"}.issuperset(values)
        if len(values) != len(header) or strange:
            raise ValueError(
                f"{path}, line {number}: expected a name and {len(header)} times 1 or -1, got "
                f"{line[:60]!r}; use the file as CelebA publishes it"
            )
        names.append(name)
        table += bytes(value == "1" for value in values)
    if len(names) != int(lines[0]) or len(set(names)) != len(names):
        raise ValueError(
            f"{path}: expected {lines[0].strip()} different images as its first line says, got "
            f"{len(set(names))} in {len(names)} lines; use the file as CelebA publishes it"
        )
    flags = np.frombuffer(table, np.bool_).reshape(-1, len(header))
    return names, header, torch.from_numpy(flags)


def read_partition(path: Path, names: Sequence[str]) -> Tensor:
    """The official part of each image, ``(N,)`` codes into :data:`PARTS`.

    Raises:
        ValueError: for a line that is not as published, or an image without a part.
    """
    parts: dict[str, int] = {}
    for number, line in enumerate(
        path.read_text(encoding="ascii", errors="replace").splitlines(), 1
    ):
        words = line.split()
        if len(words) != 2 or words[1] not in ("0", "1", "2"):
            raise ValueError(
                f"{path}, line {number}: expected a name and 0, 1 or 2, got {line[:60]!r}; use the "
                "file as CelebA publishes it"
            )
        parts[words[0]] = int(words[1])
    without = next((name for name in names if name not in parts), None)
    if without is not None:
        raise ValueError(f"{path}: expected a line for {without}, got none; use the whole file")
    return torch.tensor([parts[name] for name in names])


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
