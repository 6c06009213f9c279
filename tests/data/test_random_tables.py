"""Random tables: each is read, and says what its words say, or is refused in one line."""

import csv
import io
import os

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccvae.data import Binary, Real
from ccvae.data.decode import Decoding
from ccvae.data.images import images
from ccvae.data.marks import MARKS, number

from .forms import COUNT, plain_names, rows_of, shades

EXAMPLES = int(os.environ.get("CCVAE_TABLES", "150"))
"""Tables; more for a longer look."""

POOLS = [
    ["0", "1"],
    ["-1", "1"],
    ["0", "1", "-1", ""],
    ["yes", "No", "NO ", "Yes"],
    ["true", "false", "n/a"],
    ["red", "Red", "blue", "?"],
    ["a|b", "b", "a", ""],
    ["['a', 'b']", "[]", "['b']"],
    ["16 0", "7", "0 7"],
    [str(i) for i in range(14)],
    ["0,5", "1,25", "2", "3"],
    ["0.5", "1e3", "-9", "-99", "nan"],
    ["1.0", "2.0", "3.0", ""],
    ["low", "mid", "high", "unknown"],
    ["2001-02-03", "2002-03-04"],
    ["ä\u00a0b", "日本", "'", '"', "a,b", "c;d", "e\tf"],
    ["", "NA", "-", "None"],
    ["\x00", "\u2028", "x" * 200, "{}", "[1, [2]]", "1_0", "１", "0x10", "inf", "1e999"],
    [f"P{i}" for i in range(20)],
    ["999", "1", "2", "3"],
]
"""Words of a column, of which each has a few."""

NAMES = [
    "A",
    "Hair",
    "Age",
    "Grade",
    "label",
    "id",
    "file",
    "split",
    "domain",
    "Ä ö",
    "A B",
    "",
    "x" * 99,
]
NAMES += ["patient_id", "date", "class", "score", "0", "a=b", "c,d", "e|f", "-"]


@st.composite
def tables(draw):
    """A table's columns by name and its text, in one of the ways in which tables are written."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    columns = {}
    for name in names:
        pool = draw(st.sampled_from(POOLS))
        pool = pool + draw(st.lists(st.sampled_from(sum(POOLS, [])), max_size=1))  # noqa: RUF017
        words = draw(st.lists(st.sampled_from(pool), min_size=COUNT, max_size=COUNT))
        columns[name] = words
    columns = {"file": plain_names()} | {n: w for n, w in columns.items() if n != "file"}
    text = io.StringIO(newline="")
    separator = draw(st.sampled_from(",;\t|"))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerow(columns)
    order = draw(st.permutations(range(COUNT)))
    writer.writerows([[words[row] for words in columns.values()] for row in order])
    return columns, draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])), text.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shades(tmp_path_factory.mktemp("tables") / "im", plain_names())


def attempted(folder, path):
    """What is read, or why nothing is."""
    try:
        return images(folder, path, decoding=Decoding(8)), ""
    except ValueError as error:
        return None, str(error)


def plainly(word):
    return " ".join(word.replace("-", " ").replace("_", " ").split()).casefold()


def agrees(label, code, word):
    """Whether a code says what a word of the label's own column does."""
    if torch.isnan(code):
        return True  # counted by the marks and the problems
    if isinstance(label, Real):
        found = label.to_units(code).item()
        return number(word) == pytest.approx(found, rel=1e-4, abs=1e-4)
    if isinstance(label, Binary):
        value = number(word)
        return bool(code) == (value == 1 if value is not None else plainly(word) in ("yes", "true"))
    name = label.classes[int(code)]
    return plainly(name) == plainly(word) or number(name) == number(word) is not None


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(tables())
def test_a_random_table_is_read_right_or_refused(folder, table):
    columns, encoding, text = table
    path = folder.parent / "t.csv"
    path.write_bytes(text.encode(encoding))
    data, reason = attempted(folder, path)
    if data is None:
        assert reason
        assert "\n" not in reason
        return
    said = " ".join((*data.notes, *data.problems))
    assert all("\n" not in line for line in (*data.notes, *data.problems))
    order = rows_of(data)
    for place, label in enumerate(data.space):
        words = columns.get(label.name.strip())
        if words is None:  # one of several labels of a column
            assert "separated by" in said
            continue
        for row, code in zip(order, data.labels[:, place], strict=True):
            word = words[row].strip()
            assert agrees(label, code, word), (label, code, word, said)
            if torch.isnan(code) and word:  # nothing is missing without a word
                known = word.casefold() in MARKS or repr(word) in said
                assert known, (label, word, said)
