"""Tables of words, and the kinds of label that their columns are."""

import csv
import io
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccvae.data import Binary, Categorical
from ccvae.data.columns import PAIRS, parse_kinds, read_column
from ccvae.data.table import SEPARATORS, read_table

relaxed = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

# Whatever a spreadsheet may hold; blanks around a word do not count, so none are generated there.
# (Python 3.11's writer leaves a carriage return within a word without its quotes.)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)
WORDS = WORDS.map(str.strip)
NAMES = WORDS.filter(bool)


@st.composite
def tables(draw) -> tuple[list[str], list[list[str]]]:
    """A header with a column file, and rows of which none is empty."""
    names = draw(st.lists(NAMES.filter(lambda n: n != "file"), min_size=1, max_size=4, unique=True))
    place = draw(st.integers(0, len(names)))
    header = [*names[:place], "file", *names[place:]]
    row = st.lists(WORDS, min_size=len(header), max_size=len(header)).filter(any)
    return header, draw(st.lists(row, min_size=1, max_size=6))


@relaxed
@given(
    tables(),
    st.sampled_from(SEPARATORS),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_was_written_is_read(tmp_path, table, separator, end, encoding, quoting) -> None:
    header, rows = table
    file = io.StringIO(newline="")
    # A separator of another kind within an unquoted header might well be the real one.
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    path = tmp_path / "table.csv"
    path.write_bytes(file.getvalue().encode(encoding))
    found = read_table(path, "file")
    assert list(found.columns) == header
    assert [list(row) for row in zip(*found.columns.values(), strict=True)] == rows
    assert found.problems == []


@relaxed
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path, content: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"file,Odd\n" + content)
    try:
        found = read_table(path, "file")
    except ValueError:
        return
    assert {len(words) for words in found.columns.values()} == {len(found)}
    assert len(found) > 0


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_ends_separators_and_marks(tmp_path: Path, end: str, separator: str, mark: str) -> None:
    lines = ["file,Smile,Hair", 'a.jpg,1,"red, or so"', "", "b.jpg,,blond", ",,"]
    text = end.join(line.replace(",", separator) for line in lines)
    path = tmp_path / "table.csv"
    path.write_bytes((mark + text).encode())
    found = read_table(path, "file")
    assert found.columns["file"] == ["a.jpg", "b.jpg"]
    assert found.columns["Smile"] == ["1", ""]
    assert found.columns["Hair"] == [f"red{separator} or so", "blond"]
    assert found.lines == [2, 4]


def test_lines_of_another_length_are_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("file,Odd\na.jpg,1\nb.jpg\nc.jpg,0,1\nd.jpg,1\n")
    found = read_table(path, "file")
    assert found.columns["file"] == ["a.jpg", "d.jpg"]
    assert found.lines == [2, 5]
    assert found.problems == [
        "line 3: 1 entries for 2 columns; left out",
        "line 4: 3 entries for 2 columns; left out",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected a first line with a column 'file', got nothing"),
        (b"name,Odd\na.jpg,1\n", "expected a first line with a column 'file', got name, Odd"),
        (b"file,Odd\n", "expected a row for each image, got none"),
        (b"file,Odd,Odd\na.jpg,1,0\n", "the column 'Odd' occurs twice"),
        (b"file,Odd\na.jpg,1\nb\xe4r.jpg,0\n", "line 3: expected text in UTF-8, got the byte 0xe4"),
        (b'file,Odd\n"' + b"a" * 200_000, "field larger than field limit"),
    ],
)
def test_no_table(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        read_table(path, "file")
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"cannot read the labels .*give --labels FILE\.csv"
    ):
        read_table(tmp_path / "nowhere.csv", "file")


def read(words: list[str], kind: str = ""):
    return read_column("L", words, list(range(2, len(words) + 2)), kind)


def plain_codes(words: list[str], kind: str = "") -> list[float | None]:
    codes = read(words, kind).codes.tolist()
    return [None if math.isnan(code) else code for code in codes]


@pytest.mark.parametrize("pair", [*PAIRS, ("FALSE", "True"), ("No", "YES"), ("0.0", "1.0")])
def test_pairs_are_binary(pair: tuple[str, str]) -> None:
    words = [pair[0], pair[1], "", "nan", pair[1]]
    assert read(words).label == Binary("L")
    assert plain_codes(words) == [0, 1, None, None, 1]


@pytest.mark.parametrize("word", ["1", "-1", "false", "yes"])
def test_one_of_a_pair_is_binary(word: str) -> None:
    assert read([word, "", word]).label == Binary("L")


def test_classes() -> None:
    assert read(["red", "blond", "", "red"]).label == Categorical("L", ("blond", "red"))
    assert plain_codes(["red", "blond", "", "red"]) == [1, 0, None, 1]
    assert read(["10", "9", "2.0", "2"]).label == Categorical("L", ("2", "9", "10"))
    assert plain_codes(["10", "9", "2.0", "2"]) == [2, 1, 0, 0]
    assert read(["-1", "0", "1"], "-1|0|1").label == Categorical("L", ("-1", "0", "1"))
    assert read(["yes", "no", "maybe", "maybe"]).label == Categorical("L", ("maybe", "no", "yes"))


def test_a_rare_other_word_beside_a_pair_is_a_mistake() -> None:
    found = read(["0", "1"] * 10 + ["maybe"])
    assert found.label == Binary("L")
    assert found.codes[-1].isnan()
    assert found.problems == ["line 22: L is 'maybe', expected one of 0, 1; taken as missing"]
    assert read(["0", "1", "2"]).label == Categorical("L", ("0", "1", "2"))
    assert read(["0", "1"] * 20 + ["2"]).label == Binary("L")


def test_stated_kinds() -> None:
    assert read(["red", "red", ""], "red|blond").label == Categorical("L", ("red", "blond"))
    assert read(["1", "0"], "categorical").label == Categorical("L", ("0", "1"))
    assert plain_codes(["1", "0", "1.0"], "1|0") == [0, 1, 0]
    assert read(["", ""], "binary").label == Binary("L")
    assert read(["1", "0", "2"], "binary").problems


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        (["", ""], "", "label 'L' has no entry"),
        (["red", "red"], "", "label 'L' has a single class, 'red'"),
        ([f"person {i}" for i in range(20)], "", "20 different values, too many for classes"),
        (
            ["red", "blue", "blue"],
            "red|blond",
            "expected one of red, blond, got 2 other entries, the",
        ),
        (
            ["1", "0", "2", "2"],
            "binary",
            "expected one of 0, 1, got 2 other entries, the first in l",
        ),
        (["1", "0"], "boolean", "expected the kind binary, categorical or classes separated by |"),
        (["1", "0"], "a|a", "two or more distinct classes"),
    ],
)
def test_no_label(words: list[str], kind: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("|", r"\|")):
        read(words, kind)


@relaxed
@given(st.lists(st.sampled_from(["0", "1", ""]), min_size=1).filter(any), st.sampled_from(PAIRS))
def test_however_a_pair_is_written_the_codes_are_the_same(words, pair) -> None:
    written = [pair[int(word)] if word else "" for word in words]
    assert plain_codes(written, "binary" if len(set(words) - {""}) < 2 else "") == [
        float(word) if word else None for word in words
    ]


@relaxed
@given(st.lists(NAMES, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_classes_do_not_depend_on_the_order_of_rows(words: list[str], random) -> None:
    try:
        found = read(words)
    except ValueError:
        return
    order = list(range(len(words)))
    random.shuffle(order)
    again = read([words[i] for i in order])
    assert again.label == found.label
    assert again.codes.nan_to_num(-9).tolist() == found.codes[order].nan_to_num(-9).tolist()


def test_parse_kinds() -> None:
    assert parse_kinds("") == {}
    assert parse_kinds(" Odd = binary, Hair=red|light blond ") == {
        "Odd": "binary",
        "Hair": "red|light blond",
    }
    with pytest.raises(ValueError, match=r"expected label kinds as NAME=binary, .* got 'Odd'"):
        parse_kinds("Odd")
