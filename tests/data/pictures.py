"""Image files that the tests write."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ATTRIBUTES = [
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
]


def picture(seed: int, width: int = 24, height: int = 30) -> Image.Image:
    """A smooth picture that no other seed gives."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 3, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def write_folder(folder: Path, rows: Sequence[str] = (), count: int = 20, head: str = "") -> None:
    """A folder of pictures ``0.png`` … with a table; without rows they have one label, Odd."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        picture(i).save(folder / f"{i}.png")
    rows = rows or [f"{i}.png,{i % 2}" for i in range(count)]
    (folder / "labels.csv").write_text("\n".join([head or "file,Odd", *rows, ""]))


def write_celeba(root: Path, values: np.ndarray, parts: Sequence[int]) -> Path:
    """A look-alike of CelebA as it is published: attributes ``(N, 40)`` of 1 and −1."""
    folder = root / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{i + 1:06d}.jpg" for i in range(len(values))]
    for i, name in enumerate(names):
        picture(i, 178, 218).save(folder / "img_align_celeba" / name, quality=95)
    # The published file has a blank after the last name, and right-aligned numbers.
    lines = [str(len(names)), " ".join(ATTRIBUTES) + " "]
    for name, row in zip(names, values, strict=True):
        lines.append(name + " " + " ".join(f"{value:2d}" for value in row))
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    parted = [f"{name} {part}" for name, part in zip(names, parts, strict=True)]
    (folder / "list_eval_partition.txt").write_text("\n".join(parted) + "\n")
    return folder
