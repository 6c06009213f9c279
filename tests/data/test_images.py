"""A folder of the user's own images with a table."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ccvae.data import Binary, Categorical, Dataset
from ccvae.data.decode import Decoding
from ccvae.data.images import images, split_by_name

from .pictures import picture, write_folder
from .test_decode import broken

relaxed = settings(deadline=None)

SMALL = Decoding(16)


def load(folder: Path, **options) -> Dataset:
    return images(folder, decoding=SMALL, **options)


def rows_of(data: Dataset) -> list[int]:
    """Which of the pictures 0, 1 … each row shows."""
    shown = torch.stack([_reference(i) for i in range(40)])
    return [int((shown == image).flatten(1).all(1).nonzero()) for image in data.images]


def _reference(seed: int) -> torch.Tensor:
    small = picture(seed).resize((16, 16), Image.Resampling.BILINEAR)
    return (
        torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8)
        .view(16, 16, 3)
        .movedim(2, 0)
    )


def test_images_and_labels_belong_together(tmp_path: Path) -> None:
    rows = [
        f"{i}.png,{i % 2},{['red', 'green', ''][i % 3]},{'ab'[i % 2]}" for i in (7, *range(7), 8, 9)
    ]
    write_folder(tmp_path, rows, 10, "file,Odd,Hair,domain")
    data = load(tmp_path)
    shown = rows_of(data)
    assert shown == [7, *range(7), 8, 9]
    assert data.name == f"images:{tmp_path.name}"
    assert data.shape == (3, 16, 16)
    assert list(data.space) == [Binary("Odd"), Categorical("Hair", ("green", "red"))]
    assert data.labels[:, 0].tolist() == [i % 2 for i in shown]
    assert data.labels[:, 1].nan_to_num(9).tolist() == [[1, 0, 9][i % 3] for i in shown]
    assert data.domains is not None
    assert data.domains.tolist() == [i % 2 for i in shown]
    assert data.problems == ()
    assert len(data.test) == 2
    assert sorted([*data.train.tolist(), *data.test.tolist()]) == list(range(10))


def test_folders_within_the_folder(tmp_path: Path) -> None:
    write_folder(tmp_path / "deep" / "er")
    rows = [f"deep\\er/{i}.png,{i % 2}" for i in range(10)] + [
        f"./deep/er/{i}.png,1" for i in (11, 13)
    ]
    write_folder(tmp_path, rows, 0)
    assert rows_of(load(tmp_path)) == [*range(10), 11, 13]


def test_a_table_elsewhere_and_some_of_its_labels(tmp_path: Path) -> None:
    write_folder(tmp_path / "pictures")
    table = tmp_path / "other.tsv"
    table.write_text("A\tfile\tB\n" + "".join(f"{i % 2}\t{i}.png\t{i % 3}\n" for i in range(20)))
    data = load(tmp_path / "pictures", labels=table, only=["B"])
    assert list(data.space) == [Categorical("B", ("0", "1", "2"))]
    stated = load(tmp_path / "pictures", labels=table, kinds="B=2|1|0")
    assert stated.space.labels[1] == Categorical("B", ("2", "1", "0"))
    assert torch.equal(stated.labels[:, 1], 2 - data.labels[:, 0])


def test_split_as_the_table_says(tmp_path: Path) -> None:
    parts = ["train", "TEST", "valid", "Train", "test", "", "later"]
    rows = [f"{i}.png,{i % 2},{parts[i] if i < 7 else 'train'}" for i in range(40)]
    write_folder(tmp_path, rows, 40, "file,Odd,split")
    data = load(tmp_path)
    assert data.train.tolist() == [0, 3, *range(7, 40)]
    assert data.test.tolist() == [1, 4]
    assert data.problems == (
        "line 7: split is '', expected train, valid or test; used for neither",
        "line 8: split is 'later', expected train, valid or test; used for neither",
    )


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_split_that_leaves_nothing(tmp_path: Path, part: str) -> None:
    write_folder(tmp_path, [f"{i}.png,{i % 2},{part}" for i in range(9)], 9, "file,Odd,split")
    with pytest.raises(
        ValueError, match=r"expected rows to t.* on, got none of 9; give more images"
    ):
        load(tmp_path)


def test_domains_of_test_rows_alone_are_missing(tmp_path: Path) -> None:
    rows = [f"{i}.png,{i % 2},{'test' if i > 7 else 'train'},{'xy'[i > 8]}" for i in range(10)]
    write_folder(tmp_path, rows, 10, "file,Odd,split,domain")
    data = load(tmp_path)
    assert data.domains is not None
    assert data.domains.tolist() == [0] * 9 + [-1]
    assert data.domain_count == 1
    assert data.problems == ("domain 'y' occurs in no training row; taken as missing elsewhere",)


def test_a_number_that_does_not_vary_in_training_is_left_out(tmp_path: Path) -> None:
    rows = [
        f"{i}.png,{i % 2},{i if i > 8 else 4},{'test' if i > 8 else 'train'}" for i in range(24)
    ]
    write_folder(tmp_path, rows, 24, "file,Odd,Age,split")
    data = load(tmp_path)
    assert data.space.names == ("Odd",)
    assert data.problems[-1].startswith("left out: label 'Age' has no two different numbers among")
    for options in ({"only": ["Odd", "Age"]}, {"kinds": "Age=real"}):
        with pytest.raises(ValueError, match="'Age' has no two different numbers among the 9 trai"):
            load(tmp_path, **options)


def test_domains_that_say_nothing_are_said(tmp_path: Path) -> None:
    rows = [f"{i}.png,{i % 2},{['x', 'y', 'unknown'][i % 3]}" for i in range(18)]
    write_folder(tmp_path, rows, 18, "file,Odd,domain")
    data = load(tmp_path)
    assert data.domain_count == 2
    assert data.problems == ("domain 'unknown' is taken as missing in 6 rows",)


def test_every_fault_is_listed(tmp_path: Path) -> None:
    for i in range(200):
        picture(i % 40).save(tmp_path / f"{i}.png")
    reasons = broken(tmp_path)
    del reasons["nul\0.png"]
    rows = [f"{i}.png,{i % 2},1,{'red' if i % 3 else 'blond'}" for i in range(200)]
    rows[10] = "10.png,perhaps,1,red"
    rows += ["3.png,1,1,blond", "4.png,1,1,red", "../4.png,1,1,red", "/etc/4.png,1,1,red"]
    rows += [r"C:\4.png,1,1,red", ",1,1,red", "4.png"]
    rows += [f"{name},0,1,red" for name in ("cut.jpg", "zero.jpg", "nowhere.png", "bomb.png")]
    write_folder(tmp_path, rows, 0, "file,Odd,Same,Hair")
    data = load(tmp_path)
    assert len(data.images) == 200
    assert [problem.split(" (")[0] for problem in data.problems] == [
        "line 208: 1 entries for 4 columns; left out",
        "line 202: '3.png' repeats line 5; left out",
        "line 203: '4.png' contradicts line 6; left out",
        "line 204: '../4.png' lies outside of the folder; left out",
        "line 205: '/etc/4.png' lies outside of the folder; left out",
        "line 206: 'C:\\\\4.png' lies outside of the folder; left out",
        "line 207: no file is named; left out",
        "line 12: Odd is 'perhaps', expected one of 0, 1; taken as missing",
        "cut.jpg: damaged",
        "zero.jpg: an empty file; left out",
        "nowhere.png: no such file; left out",
        "bomb.png: more than 89478485 pixels, perhaps a decompression bomb; left out",
    ]
    assert data.labels[10, 0].isnan()


def test_more_faults_than_are_tolerable_stop(tmp_path: Path) -> None:
    write_folder(tmp_path, [f"../{i}.png,1" for i in range(3)] + ["1.png,0", "2.png,1"])
    with pytest.raises(
        ValueError, match=r"at most 5% of 5 images .* got 3 .*line 2: '\.\./0\.png'"
    ):
        load(tmp_path)


def test_columns_that_are_no_labels_are_left_out(tmp_path: Path) -> None:
    rows = [f"{i}.png,{i % 2},person {i},,here" for i in range(20)]
    write_folder(tmp_path, rows, 20, "file,Odd,name,empty,place")
    data = load(tmp_path)
    assert data.space.names == ("Odd",)
    assert [problem.split(";")[0] for problem in data.problems] == [
        "left out: label 'name' has 20 different values, too many for classes",
        "left out: label 'empty' has no entry",
        "left out: label 'place' has a single class, 'here', and nothing to tell apart",
    ]
    for name in ("name", "empty", "place"):
        with pytest.raises(ValueError, match=f"label '{name}'"):
            load(tmp_path, only=[name])


@pytest.mark.parametrize(
    ("head", "options", "words"),
    [
        ("file,Odd", {"only": ["Even"]}, "unknown label 'Even'; this table has Odd"),
        ("file,Odd", {"kinds": "Even=binary"}, "unknown label 'Even'; this table has Odd"),
        ("file,domain", {}, "expected a column for each label beside 'file', got none"),
        ("file,Odd", {"kinds": "Odd"}, "expected label kinds as"),
    ],
)
def test_bad_requests(tmp_path: Path, head: str, options: dict, words: str) -> None:
    write_folder(tmp_path, head=head)
    with pytest.raises(ValueError, match=words):
        load(tmp_path, **options)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected a folder of images, got .*nowhere"):
        load(tmp_path / "nowhere")


NAMES = st.lists(st.text(max_size=8), min_size=1, max_size=60, unique=True)
SHARES, SEEDS = st.floats(0, 1), st.integers(0, 1000)


@relaxed
@given(NAMES, SHARES, SEEDS)
def test_a_split_is_exact_and_complete(names, share, seed) -> None:
    train, test = split_by_name(names, share, seed)
    assert len(test) == round(share * len(names))
    assert sorted([*train.tolist(), *test.tolist()]) == list(range(len(names)))
    assert train.tolist() == sorted(train.tolist())


@relaxed
@given(NAMES, SHARES, SEEDS, st.randoms(use_true_random=False))
def test_a_split_does_not_depend_on_the_order(names, share, seed, random) -> None:
    shuffled = random.sample(names, len(names))
    first, second = (split_by_name(order, share, seed)[1].tolist() for order in (names, shuffled))
    assert {names[row] for row in first} == {shuffled[row] for row in second}


@relaxed
@given(NAMES, SEEDS)
def test_a_name_that_goes_moves_at_most_one_other(names, seed) -> None:
    def tested(some) -> set[str]:
        return {some[row] for row in split_by_name(some, 0.2, seed)[1].tolist()}

    assert len(tested(names[1:]) ^ (tested(names) - {names[0]})) <= 1


def test_seeds_split_differently(tmp_path: Path) -> None:
    write_folder(tmp_path, count=40)
    first, again, other = (load(tmp_path, seed=seed).test.tolist() for seed in (0, 0, 1))
    assert first == again != other
    assert len(first) == 8
