"""Every sort of file becomes colour or a reason."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, Resize

from ccvae.data.decode import Decoding, UnusableImageError, decode, strict_pillow

from .pictures import picture


def image_of(path: Path, size: int = 16, crop: int = 0) -> np.ndarray:
    with strict_pillow():
        return decode(path, Decoding(size, crop))[0]


def remark_on(path: Path) -> str:
    with strict_pillow():
        return decode(path, Decoding(16))[1]


def test_pixels_are_those_of_the_authors_transform(tmp_path: Path) -> None:
    path = tmp_path / "face.jpg"
    picture(1, 178, 218).save(path)
    with Image.open(path) as image:
        plain, cut = Resize((64, 64))(image), Compose([CenterCrop(148), Resize(64)])(image)
    assert np.array_equal(image_of(path, 64), np.asarray(plain).transpose(2, 0, 1))
    assert np.array_equal(image_of(path, 64, crop=148), np.asarray(cut).transpose(2, 0, 1))


def test_a_crop_beyond_the_image_is_its_largest_square(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    picture(1, 60, 20).save(path)
    with Image.open(path) as image:
        square = image.crop((20, 0, 40, 20)).resize((16, 16), Image.Resampling.BILINEAR)
    assert np.array_equal(image_of(path, crop=1000), np.asarray(square).transpose(2, 0, 1))


def test_a_large_photograph_is_decoded_small_and_looks_the_same(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    picture(2, 1600, 1200).save(path, quality=95)
    with Image.open(path) as image:
        exact = np.asarray(image.resize((16, 16), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    assert np.abs(image_of(path).astype(int) - exact).max() <= 3


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("L", "grey"),
        ("1", "grey"),
        ("P", "palette"),
        ("RGBA", "transparent"),
        ("LA", "transparent"),
    ],
)
def test_modes_become_colour(tmp_path: Path, mode: str, words: str) -> None:
    path = tmp_path / "image.png"
    original = picture(3, 16, 16)
    original.convert(mode).save(path)
    shown = image_of(path)
    assert shown.shape == (3, 16, 16)
    assert words in remark_on(path)
    expected = np.asarray(original.convert(mode).convert("RGB")).transpose(2, 0, 1)
    assert np.array_equal(shown, expected)


def test_cmyk(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    picture(3, 16, 16).convert("CMYK").save(path, quality=100)
    expected = np.asarray(picture(3, 16, 16)).transpose(2, 0, 1).astype(int)
    assert np.abs(image_of(path) - expected).mean() < 6
    assert remark_on(path) == "of mode CMYK, converted to colour"


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    clear.save(tmp_path / "clear.png")
    assert (image_of(tmp_path / "clear.png") == 255).all()
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    palette.save(tmp_path / "palette.png", transparency=0)
    assert (image_of(tmp_path / "palette.png") == 255).all()


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    grey = np.full((8, 8), 0x8040, np.uint16)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    assert (image_of(tmp_path / "deep.png") == 0x80).all()


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_an_animation_is_its_first_frame(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"moving.{ending}"
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    assert (image_of(path).mean((1, 2)) == [255, 0, 0]).all()
    assert remark_on(path) == "animated, the first frame is used"


def test_the_camera_was_held_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    picture(4, 16, 16).save(tmp_path / "turned.png", exif=exif)
    expected = np.asarray(picture(4, 16, 16).rotate(180)).transpose(2, 0, 1)
    assert np.array_equal(image_of(tmp_path / "turned.png"), expected)


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels along each side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")
    )


def broken(folder: Path) -> dict[str, str]:
    """Files that give no image, and what is to be said about each."""
    picture(5, 64, 64).save(folder / "whole.jpg")
    whole = (folder / "whole.jpg").read_bytes()
    picture(5, 64, 64).save(folder / "whole.png")
    png = (folder / "whole.png").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "cut.png").write_bytes(png[: len(png) * 2 // 3])
    (folder / "garbled.png").write_bytes(png[:60] + bytes(40) + png[100:])
    (folder / "zero.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("no image at all")
    (folder / "page.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (folder / "bomb.png").write_bytes(bomb(11_000))
    (folder / "hydrogen.png").write_bytes(bomb(60_000))
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    return {
        "cut.jpg": "truncated",
        "cut.png": "damaged",
        "garbled.png": "damaged",
        "zero.jpg": "an empty file",
        "text.jpg": "not an image",
        "page.png": "not an image",
        "bomb.png": "decompression bomb",
        "hydrogen.png": "decompression bomb",
        "folder.png": "not a file",
        "pipe.png": "not a file",
        "nowhere.png": "no such file",
        "nul\0.png": "damaged",
    }


def test_what_gives_no_image_gives_a_reason(tmp_path: Path) -> None:
    for name, words in broken(tmp_path).items():
        with strict_pillow(), pytest.raises(UnusableImageError, match=words) as caught:
            decode(tmp_path / name, Decoding(16))
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(("size", "crop"), [(0, 0), (-1, 0), (5000, 0), (64, -1)])
def test_sizes_out_of_range(size: int, crop: int) -> None:
    with pytest.raises(ValueError, match="expected a"):
        Decoding(size, crop)
