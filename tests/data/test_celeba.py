"""CelebA, read from a look-alike as it is published."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CelebA

from ccvae.data.celeba import HAIR, PAPER, celeba, download, find
from ccvae.data.decode import Decoding

from .pictures import ATTRIBUTES, write_celeba

SMALL = Decoding(16)
PARTS = [0] * 8 + [1] * 3 + [2] * 4


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).choice([-1, 1], (15, 40))


@pytest.fixture
def root(tmp_path: Path, values: np.ndarray) -> Path:
    write_celeba(tmp_path, values, PARTS)
    return tmp_path


def columns(values: np.ndarray, names) -> torch.Tensor:
    indices = [ATTRIBUTES.index(name) for name in names]
    return torch.from_numpy((values[:, indices] + 1) // 2).float()


def test_the_papers_labels_and_the_official_parts(root: Path, values: np.ndarray) -> None:
    data = celeba(root, decoding=SMALL)
    assert data.name == "celeba"
    assert data.images.shape == (15, 3, 16, 16)
    assert data.space.names == PAPER
    assert len(PAPER) == 18
    assert torch.equal(data.labels, columns(values, PAPER))
    assert data.train.tolist() == list(range(8))
    assert data.test.tolist() == list(range(11, 15))
    assert data.domains is None
    assert data.problems == ("3 images of the other official part are used for neither",)
    assert celeba(root, decoding=SMALL, test_on="valid").test.tolist() == [8, 9, 10]
    assert torch.equal(celeba(root / "celeba", decoding=SMALL).images, data.images)


def test_read_as_torchvision_reads_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # torchvision wants more lists than are used, and the published sums of all of them.
    monkeypatch.setattr(CelebA, "_check_integrity", lambda _: True)
    attributes = (root / "celeba" / "list_attr_celeba.txt").read_text()
    for name in ("list_bbox_celeba.txt", "list_landmarks_align_celeba.txt"):
        (root / "celeba" / name).write_text(attributes)
    partition = (root / "celeba" / "list_eval_partition.txt").read_text()
    (root / "celeba" / "identity_CelebA.txt").write_text(partition)
    data = celeba(root, only=ATTRIBUTES)
    for part, rows in (("train", data.train), ("test", data.test)):
        theirs = CelebA(str(root), split=part)
        assert torch.equal(theirs.attr, data.labels[rows].long())
        image = theirs[1][0].resize((64, 64), 2)
        assert np.array_equal(np.asarray(image).transpose(2, 0, 1), data.images[rows[1]])


def test_any_attribute_by_name(root: Path, values: np.ndarray) -> None:
    data = celeba(root, only=["Wearing_Hat", "Bald"], decoding=SMALL)
    assert data.space.names == ("Wearing_Hat", "Bald")
    assert torch.equal(data.labels, columns(values, ["Wearing_Hat", "Bald"]))
    with pytest.raises(
        ValueError, match=r"unknown label 'Beard'; CelebA has 5_o_Clock_Shadow, .*Hair"
    ):
        celeba(root, only=["Beard"], decoding=SMALL)


def test_hair(tmp_path: Path, values: np.ndarray) -> None:
    hair = [ATTRIBUTES.index(name) for name in HAIR.classes]
    values[:, hair] = -1
    for row in range(10):
        values[row, hair[row % 5]] = 1
    values[10, hair[:2]] = values[11, hair[3:]] = 1
    write_celeba(tmp_path, values, PARTS)
    data = celeba(tmp_path, only=["Smiling", "Hair"], decoding=SMALL)
    assert data.space.labels[1] == HAIR
    assert data.labels[:10, 1].tolist() == [0, 1, 2, 3, 4] * 2
    assert data.labels[10:, 1].isnan().all()
    assert not data.labels[:, 0].isnan().any()
    assert "3 rows have none and 2 have several" in data.problems[0]


def test_the_crop_is_an_option(root: Path) -> None:
    plain = celeba(root, decoding=SMALL).images
    assert not torch.equal(celeba(root, decoding=Decoding(16, crop=148)).images, plain)


def test_a_missing_image_is_left_out(root: Path) -> None:
    (root / "celeba" / "img_align_celeba" / "000003.jpg").unlink()
    data = celeba(root, decoding=SMALL)
    assert data.problems[0] == "000003.jpg: no such file; left out"
    assert data.train.tolist() == list(range(7))
    assert data.test.tolist() == list(range(10, 14))
    assert len(data.images) == len(data.labels) == 14


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("list_attr_celeba.txt", lambda s: s[:-9], "line 17: expected a name and 40 times 1 or -1"),
        (
            "list_attr_celeba.txt",
            lambda s: s.replace("15\n", "16\n", 1),
            "expected 16 different im",
        ),
        ("list_attr_celeba.txt", lambda s: s.replace("000003", "000002"), "got 14 in 15 lines"),
        ("list_attr_celeba.txt", lambda s: s.replace(" -1", "  0", 1), "line 3: expected a name"),
        (
            "list_attr_celeba.txt",
            lambda s: s.replace("000003", "../003"),
            "line 5: expected a name",
        ),
        ("list_attr_celeba.txt", lambda s: "", "expected the number of images in line 1"),
        ("list_attr_celeba.txt", lambda s: "image_id,Male\n1.jpg,1", "as CelebA publishes it"),
        ("list_eval_partition.txt", lambda s: s[:-14], "expected a line for 000015.jpg, got none"),
        (
            "list_eval_partition.txt",
            lambda s: s.replace(" 1", " 3", 1),
            "expected a name and 0, 1 o",
        ),
        (
            "list_eval_partition.txt",
            lambda s: s.replace(" 2", " 1"),
            "expected images of the part t",
        ),
    ],
)
def test_a_file_that_is_not_as_published(root: Path, name: str, change, words: str) -> None:
    path = root / "celeba" / name
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match=words) as caught:
        celeba(root, decoding=SMALL)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["list_attr_celeba.txt", "list_eval_partition.txt", "img_align_celeba"]
)
def test_a_missing_file_is_named_with_what_to_do(root: Path, name: str) -> None:
    path = root / "celeba" / name
    path.rename(root / "elsewhere")
    with pytest.raises(
        FileNotFoundError, match=r"no CelebA in .* or --download to fetch it"
    ) as caught:
        celeba(root, decoding=SMALL)
    assert str(path) in str(caught.value)


def test_an_archive_that_is_not_unpacked(root: Path) -> None:
    (root / "celeba" / "img_align_celeba").rename(root / "elsewhere")
    (root / "celeba" / "img_align_celeba.zip").write_bytes(b"PK")
    with pytest.raises(FileNotFoundError, match=r"unpack img_align_celeba\.zip there"):
        celeba(root, decoding=SMALL)


def test_an_unknown_part(root: Path) -> None:
    with pytest.raises(ValueError, match="part valid or test to test on, got 'train'"):
        celeba(root, test_on="train")


def test_download_is_torchvisions(tmp_path: Path, values, monkeypatch) -> None:
    monkeypatch.setattr(CelebA, "_check_integrity", lambda _: False)
    monkeypatch.setattr(CelebA, "__init__", lambda self, root, download: fetch(root, download))

    def fetch(root: str, download: bool) -> None:
        assert download
        write_celeba(Path(root), values, PARTS)

    download(tmp_path)
    assert find(tmp_path) == tmp_path / "celeba"
    monkeypatch.setattr(CelebA, "__init__", lambda *_, **__: pytest.fail("it is there"))
    download(tmp_path)


def test_a_download_that_fails(tmp_path: Path, monkeypatch) -> None:
    def fail(*_, **__) -> None:
        raise RuntimeError("no network\nat all")

    monkeypatch.setattr(CelebA, "__init__", fail)
    with pytest.raises(OSError, match=r"\(no network at all\); fetch img_align_celeba\.zip"):
        download(tmp_path)


def as_csv(path: Path, head: str) -> None:
    """A list as Kaggle passes it on: a header, and commas."""
    lines = [",".join(line.split()) for line in path.read_text().splitlines()]
    body = lines[2:] if len(lines[0].split(",")) == 1 else lines
    path.with_suffix(".csv").write_text("\n".join([head, *body, ""]))
    path.unlink()


def kaggle(folder: Path) -> None:
    as_csv(folder / "list_attr_celeba.txt", "image_id," + ",".join(ATTRIBUTES))
    as_csv(folder / "list_eval_partition.txt", "image_id,partition")
    (folder / "img_align_celeba").rename(folder / "inner")
    (folder / "img_align_celeba").mkdir()
    (folder / "inner").rename(folder / "img_align_celeba" / "img_align_celeba")


def first_publication(folder: Path) -> None:
    for place, name in (
        ("Anno", "list_attr_celeba.txt"),
        ("Eval", "list_eval_partition.txt"),
        ("Img", "img_align_celeba"),
    ):
        (folder / place).mkdir()
        (folder / name).rename(folder / place / name)


def as_png(folder: Path) -> None:
    for path in (folder / "img_align_celeba").iterdir():
        with Image.open(path) as image:
            image.save(path.with_suffix(".png"))
        path.unlink()


def uncounted(folder: Path) -> None:
    path = folder / "list_attr_celeba.txt"
    path.write_text(path.read_text().partition("\n")[2])


@pytest.mark.parametrize("form", [kaggle, first_publication, as_png, uncounted])
def test_forms_in_which_it_is_passed_on(root: Path, form) -> None:
    large = Decoding(64)  # a JPEG that is much larger is decoded at a fraction of its size
    expected = celeba(root, decoding=large)
    form(root / "celeba")
    found = celeba(root, decoding=large)
    assert torch.equal(found.labels, expected.labels)
    assert torch.equal(found.images, expected.images)
    assert torch.equal(found.train, expected.train)
    assert found.space == expected.space
    assert found.problems == expected.problems
    assert celeba(root / "celeba", decoding=SMALL).space == expected.space


def test_a_subset_of_the_images_beside_the_whole_lists(root: Path) -> None:
    whole = celeba(root, decoding=SMALL)
    for number in (2, 3, 12):
        (root / "celeba" / "img_align_celeba" / f"{number:06}.jpg").unlink()
    data = celeba(root, decoding=SMALL)
    kept = [row for row in range(15) if row not in (1, 2, 11)]
    assert torch.equal(data.images, whole.images[kept])
    assert torch.equal(data.labels, whole.labels[kept])
    assert data.train.tolist() == list(range(6))
    assert data.test.tolist() == [9, 10, 11]
    assert data.problems[0].startswith("12 of the 15 images of the list are in ")


@pytest.mark.parametrize("wrong", ["11", "- 1", "2", "+1", "1-1", ""])
def test_numbers_of_the_list_are_ones(root: Path, wrong: str) -> None:
    path = root / "celeba" / "list_attr_celeba.txt"
    lines = path.read_text().splitlines()
    lines[4] = lines[4].rpartition(" ")[0] + " " + wrong
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match="line 5: expected a name and 40 times 1 or -1"):
        celeba(root, decoding=SMALL)
