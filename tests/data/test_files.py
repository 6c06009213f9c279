"""Which files the names in a table lead to, and names that are labels themselves."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccvae.data.arrays import read_arrays, resized
from ccvae.data.files import Folder, file_words, image_files
from ccvae.data.naming import table_of_names
from ccvae.data.table import read_table
from ccvae.specification import is_naming

relaxed = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("a.png", "a.png"),
        ("./a.png", "a.png"),
        ("deep\\b.jpg", "deep/b.jpg"),
        ("deep/b", "deep/b.jpg"),
        ("other/deep/b.jpg", "deep/b.jpg"),
        ("own/deep/b.jpg", "deep/b.jpg"),
        ("a", "a.png"),
        ("c.gif", "c.webp"),
        ("7", "0007.png"),
        ("A.PNG", "a.png"),
        ("https://there/own/deep/b.jpg", "deep/b.jpg"),
        ("with blank.png", "with_blank.png"),
        ("C:\\x\\own\\a.png", "a.png"),
        ("/home/x/own/deep/b.jpg", "deep/b.jpg"),
        ("../own/a.png", "a.png"),
        # What leads nowhere stays as it is; what leads out is none.
        ("b.jpg", "b.jpg"),
        ("deep/a.png", "deep/a.png"),
        ("c.jpg", "c.jpg"),
        ("nowhere.png", "nowhere.png"),
        ("../a.png", None),
        ("/etc/a.png", None),
        ("C:\\a.png", None),
        ("own/../../a.png", None),
    ],
)
def test_where_a_word_leads(tmp_path: Path, word: str, found: str | None) -> None:
    folder = Folder(files(tmp_path / "own", "a.png", "deep/b.jpg", "c.webp", "0007.png",
                          "with_blank.png"))  # fmt: skip
    assert folder.find(word) == found


def test_an_image_deeper_is_meant_where_none_is_at_the_top(tmp_path: Path) -> None:
    folder = Folder(files(tmp_path, "part_1/a.jpg", "part_2/b.jpg", "part_1/c.jpg", "part_2/c.jpg"))
    assert [folder.find(word) for word in ("a", "b.jpg", "c.jpg")] == [
        "part_1/a.jpg",
        "part_2/b.jpg",
        "c.jpg",  # which of the two is not known
    ]
    assert folder.notes == [
        "1 names: with an ending added, deeper in the folder",
        "1 names: found deeper in the folder",
    ]


PARTS = st.text("abcdef", min_size=1, max_size=3)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".png")


@relaxed
@given(st.lists(PATHS, min_size=1, max_size=5, unique=True), st.data())
def test_a_name_that_is_there_is_itself_and_none_leads_out(tmp_path_factory, paths, data) -> None:
    root = tmp_path_factory.mktemp("folder")
    folder = Folder(files(root / "im", *paths))
    assert [folder.find(path) for path in paths] == paths
    assert [folder.find(str(root / "im" / path)) for path in paths] == paths
    assert set(image_files(root / "im")) == set(paths)
    word = data.draw(st.text("ab./\\:", max_size=12))
    found = folder.find(word)
    assert found is None or (root / "im" / found).resolve().is_relative_to((root / "im").resolve())


def table(path: Path, text: str):
    path.write_text(text)
    return read_table(path)


@pytest.mark.parametrize(
    ("text", "column", "found"),
    [
        ("file,path\na.png,b\nb.png,c\n", "", "file"),
        ("id,picture name,image\n1,x,a.png\n2,y,b.png\n", "", "image"),
        ("Odd,\n0,a.png\n1,b.png\n", "", None),
        (",Odd\na.png,1\nb.png,0\n", "", ""),
        ("id,Picture\n7,a.png\n8,b.png\n", "Picture", "Picture"),
        ("a,b\n1,a.png\n2,b.png\n", "", None),
        ("person,n,Odd\na,1,0\na,2,1\n", "{person}/{n:04}.png", "{person}/{n:04}.png"),
    ],
)
def test_the_column_of_files(tmp_path: Path, text: str, column: str, found: str | None) -> None:
    folder = Folder(files(tmp_path / "im", "a.png", "b.png", "a/0001.png", "a/0002.png"))
    read = table(tmp_path / "t.csv", text)
    if found is None:
        with pytest.raises(ValueError, match="expected a first line with a column 'file' "):
            file_words(read, folder, column, tmp_path / "t.csv")
        return
    name, words = file_words(read, folder, column, tmp_path / "t.csv")
    assert name == found
    assert [folder.has(word) for word in words] == [True, True]


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    read = table(tmp_path / "t.csv", "a,b\n1,2\n")
    for column, words in (
        ("c", "expected a first line with a column 'c', got a, b; correct --file-column"),
        ("{c}.png", r"expected --file-column to name columns as \{NAME\} or \{NAME:04\}, got"),
        ("{}.png", r"expected --file-column to name columns"),
    ):
        with pytest.raises(ValueError, match=words):
            file_words(read, Folder(tmp_path), column, tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("labels", "naming"),
    [("folders", True), ("folders:A/B", True), ("pattern:{A}", True), ("folders.csv", False),
     ("./folders", False), (Path("folders"), False), (None, False)],
)  # fmt: skip
def test_what_is_no_table(labels: object, naming: bool) -> None:
    assert is_naming(labels) == naming


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("pattern:{A}{A}", "expected a name of its own in each pair of braces"),
        ("pattern:{}_*", "expected a name of its own in each pair of braces"),
        ("pattern:*", "expected a label in the pattern"),
        ("folders:A", "expected a name for each of 2 folders above an image, got 'A'"),
    ],
)
def test_names_that_cannot_be_read(tmp_path: Path, pattern: str, words: str) -> None:
    files(tmp_path, "x/y/a.png")
    with pytest.raises(ValueError, match=words):
        table_of_names(tmp_path, pattern)


def test_a_pattern_with_folders(tmp_path: Path) -> None:
    files(tmp_path, "anna/2001_1.png", "ben/2002_2.png", "ben/x.png")
    found = table_of_names(tmp_path, "pattern:{Person}/{Year:real}_#")
    assert found.kinds == "Year=real"
    assert found.table.columns["Person"] == ["anna", "ben"]
    assert found.table.columns["Year"] == ["2001", "2002"]
    assert found.table.problems == ["ben/x.png: its name does not fit '{Person}/{Year:real}_#'; "
                                    "left out"]  # fmt: skip


@pytest.mark.parametrize(
    ("array", "shape", "first"),
    [
        (np.full((4, 5, 6), 7, np.uint8), (4, 1, 5, 6), 7),
        (np.full((4, 5, 6, 3), 0.5), (4, 3, 5, 6), 128),
        (np.full((4, 3, 5, 6), 255.0), (4, 3, 5, 6), 255),
        (np.ones((4, 5, 6, 1), bool), (4, 1, 5, 6), 255),
        (np.full((4, 5, 6, 4), 9, np.int64), (4, 3, 5, 6), 9),
    ],
)
def test_arrays_become_bytes(tmp_path: Path, array, shape, first) -> None:
    np.savez(tmp_path / "x.npz", images=array, labels=np.arange(4), name=np.array(["a"] * 4))
    found = read_arrays(tmp_path / "x.npz")
    assert found.images.shape == shape
    assert found.images.dtype == np.uint8
    assert found.images.flat[0] == first
    assert found.table is not None
    assert found.table.columns == {"labels": list("0123"), "name": ["a"] * 4}
    assert resized(found.images, 8).shape == (*shape[:2], 8, 8)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"labels": np.arange(4)}, r"expected an array of images .* got labels \(4,\)"),
        ({"images": np.zeros((4, 5, 6, 2))}, "expected images of 1 or 3 colours"),
        ({"images": np.full((4, 5, 6), -1.0)}, "expected pixels from 0 to 255"),
        (
            {"train_images": np.zeros((4, 5, 6)), "test_images": np.zeros((4, 6, 6))},
            "expected parts of one shape",
        ),
    ],
)
def test_arrays_that_are_no_images(tmp_path: Path, arrays, words: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ValueError, match=words):
        read_arrays(tmp_path / "x.npz")


def test_a_file_that_is_no_array(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(ValueError, match=r"expected plain arrays as numpy\.savez writes them"):
        read_arrays(tmp_path / "x.npz")
    with pytest.raises(FileNotFoundError, match="cannot read the images"):
        read_arrays(tmp_path / "nowhere.npz")
