"""What the words of a column mean: kinds, marks of missing entries, numbers, orders, groups."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccvae.data import Binary, Categorical, Ordinal, Real
from ccvae.data.columns import Column, OpenQuoteError, read_column
from ccvae.data.groups import join, one_hot_groups, parse_join, separator_of, split_column
from ccvae.data.kinds import parse_kinds, stated
from ccvae.data.marks import MARKS, NUMBERS, explain_marks, marked, missing, number, parse_marks

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(words: list[str], kind: str = "", name: str = "L", **options) -> Column:
    return read_column(name, words, list(range(2, len(words) + 2)), kind, **options)


def codes(column: Column) -> list[float | None]:
    return [None if math.isnan(code) else code for code in column.codes.tolist()]


@pytest.mark.parametrize("mark", [*(mark for mark in MARKS if mark), *NUMBERS, "NA", "N/A", "NaN"])
def test_a_mark_is_missing_and_said(mark: str) -> None:
    found = read(["0", "1", mark, mark])
    assert found.label == Binary("L")
    assert codes(found) == [0, 1, None, None]
    assert found.marks == {mark: 2}
    (note,) = explain_marks({"L": found.marks})
    assert f"{mark!r} is taken as missing in L (2 rows); --missing-marks L=" in note
    kept = read(["0", "1", mark, mark], marks=[])
    assert len(kept.label.classes) == 3
    assert kept.marks == {}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-1", "1"], Binary("L")),
        (["-1", "1", ""], Binary("L")),
        (["-1", "0", "2", "-2"], Categorical("L", ("-2", "-1", "0", "2"))),
        (["1", "2", "-9"], Categorical("L", ("1", "2"))),
        (["0", "1", "9"], Categorical("L", ("0", "1", "9"))),
        (["f", "m", "-1"], Categorical("L", ("f", "m"))),
        (["no", "yes", "-9"], Binary("L")),
    ],
)
def test_negative_numbers(words: list[str], expected: object) -> None:
    assert read(words * 3).label == expected


@pytest.mark.parametrize(
    ("words", "odd"),
    [
        (["0", "1", "9"], "9"),
        (["1", "2", "3", "99"], "99"),
        ([*map(str, range(20, 80)), "999"], "999"),
        ([*map(str, range(10))], ""),
        ([*map(str, range(5, 100))], ""),
    ],
)
def test_nines_far_beyond_the_others_are_asked_about(words: list[str], odd: str) -> None:
    notes = " ".join(read(words * 2).notes)
    assert (f"{odd} may mean missing; if so, give --missing-marks L={odd}" in notes) == bool(odd)
    assert bool(odd) or "may mean missing" not in notes


def test_minus_one_beside_one_alone_where_other_columns_are_uncertain() -> None:
    assert codes(read(["1", "-1", ""], "binary")) == [1, 0, None]
    assert codes(read(["1", "-1", ""], "binary", uncertain=True)) == [1, None, None]


def test_marks_of_the_users_own() -> None:
    words = ["0", "1", "9", "9.0", "NA"]
    found = read(words, marks=["9", "na"])
    assert codes(found) == [0, 1, None, None, None]
    assert found.marks == {"9": 1, "9.0": 1, "NA": 1}
    assert parse_marks("?|x,Sex=unknown|, Hair = ") == {
        "": ("?", "x"),
        "Sex": ("unknown", ""),
        "Hair": ("",),
    }
    assert parse_marks("") == {"": ("",)}


def test_a_label_that_is_none_names_its_marks() -> None:
    with pytest.raises(ValueError, match=r"single class, 'round'.*; 'None' is taken as missing"):
        read(["None", "round"] * 9)


@pytest.mark.parametrize(
    ("word", "value"),
    [("1", 1), ("-0.5", -0.5), (".5", 0.5), ("2.", 2), ("1e3", 1000), ("0,25", 0.25)],
)
def test_numbers(word: str, value: float) -> None:
    assert number(word) == value


@pytest.mark.parametrize("word", ["", "one", "1,234.5", "1 000", "nan", "inf", "0x10", "1-2", ","])
def test_words_that_are_no_numbers(word: str) -> None:
    assert number(word) is None


def test_many_whole_numbers_are_real_and_few_are_classes() -> None:
    ages = [str(20 + i % 40) for i in range(80)]
    found = read(ages, name="Age")
    assert found.label == Real("Age")
    assert codes(found) == [float(age) for age in ages]
    assert "40 different whole numbers from 20 to 59 are taken as a number" in found.notes[0]
    few = read([str(i % 4) for i in range(20)])
    assert few.label == Categorical("L", ("0", "1", "2", "3"))
    assert "4 different numbers are taken as classes without order" in few.notes[0]
    assert "--kinds 'L=ordinal:0<1<2<3' or L=real" in few.notes[0]
    assert read([str(i % 3 / 2) for i in range(20)]).label == Real("L")
    assert read(["0.5", "1.5"] * 9).label == Categorical("L", ("0.5", "1.5"))


@pytest.mark.parametrize("name", ["Grade", "kl_grade", "Tumour Stage", "score", "num children"])
def test_names_that_say_order(name: str) -> None:
    assert read(["2", "0", "10"] * 3, name=name).label == Ordinal(name, ("0", "2", "10"))


@pytest.mark.parametrize("name", ["label", "Species", "class_id", "target"])
def test_names_that_say_classes(name: str) -> None:
    found = read([str(i % 20) for i in range(60)], name=name)
    assert found.label == Categorical(name, tuple(map(str, range(20))))


@pytest.mark.parametrize(
    ("name", "words", "looks"),
    [
        ("patient", [f"P{i // 2}" for i in range(40)], "identifiers"),
        ("subject_id", [str(1000 + i // 2) for i in range(40)], "identifiers"),
        ("L", [f"A-{i // 2}" for i in range(40)], "identifiers"),
        ("Unnamed", [str(i) for i in range(40)], "numbers of the rows"),
        ("L", [f"2017-01-{1 + i // 2:02}" for i in range(40)], "dates"),
    ],
)
def test_what_is_no_label(name: str, words: list[str], looks: str) -> None:
    message = rf"label '{name}' has \d+ different values that look like {looks} \(.*, …\); leave"
    with pytest.raises(ValueError, match=message):
        read(words, name=name)
    assert len(read(words, "categorical", name=name).label.classes) >= 20


def test_spellings_are_one_class_and_said() -> None:
    found = read(["blond", "Blond", "blond", "light_red", "Light red", "light red"])
    assert found.label == Categorical("L", ("Light red", "blond"))
    assert codes(found) == [1, 1, 1, 0, 0, 0]
    assert "'Blond' as 'blond'" in found.notes[0]
    assert "--kinds 'L=Blond|Light red|" in found.notes[0]
    assert len(read(["blond", "Blond"], "blond|Blond").label.classes) == 2


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["high", "Low", "mid"], "Low<mid<high"),
        (["10-19", "3-9", "0-2", "more than 70"], "0-2<3-9<10-19<more than 70"),
        (["Stage III", "Stage I", "Stage II"], "Stage I<Stage II<Stage III"),
        (["severe", "mild", "moderate"], "mild<moderate<severe"),
    ],
)
def test_an_order_is_asked_for(words: list[str], order: str) -> None:
    found = read(words * 3)
    assert isinstance(found.label, Categorical)
    assert f"if so, give --kinds 'L=ordinal:{order}'" in found.notes[0]
    ordered = read(words, f"ordinal:{order}")
    assert ordered.label == Ordinal("L", tuple(order.split("<")))
    assert codes(ordered) == [order.split("<").index(word) for word in words]


def test_no_order_is_asked_for_colours() -> None:
    assert read(["red", "green", "blue"]).notes == ()


def test_stated_kinds() -> None:
    assert stated("L", "ordinal:a<b") == ("ordinal", ("a", "b"), "")
    assert stated("L", "ordinal:<5|5|>5").classes == ("<5", "5", ">5")
    assert stated("L", "several:comma") == ("several", (), ",")
    assert read(["3", "1", "2"], "ordinal").label == Ordinal("L", ("1", "2", "3"))
    assert read(["3", "1", "x"] + ["2"] * 30, "real").label == Real("L")
    with pytest.raises(ValueError, match="expected one kind of 'A', got binary and categorical"):
        parse_kinds("A=binary,A=categorical")
    with pytest.raises(ValueError, match="real, ordinal:low<high or several, got 'integer'"):
        stated("L", "integer")
    with pytest.raises(ValueError, match="expected a number, got 2 other entries"):
        read(["3", "1", "x", "y"], "real")


def test_a_real_label_is_standardised_by_the_training_rows() -> None:
    found = read(["10", "20", "30", "", "90"], "real", name="Age")
    column = found.standardised(torch.tensor([0, 1, 2, 3]))
    assert isinstance(column.label, Real)
    assert column.label.mean == pytest.approx(20)
    assert column.label.scale == pytest.approx((200 / 3) ** 0.5)
    assert column.codes.dtype == torch.float32
    units = column.label.to_units(column.codes.double())
    assert units[[0, 1, 2, 4]].tolist() == pytest.approx([10, 20, 30, 90], rel=1e-6)
    with pytest.raises(ValueError, match="label 'Age' has no two different numbers among the 2 tr"):
        found.standardised(torch.tensor([1, 3]))
    with pytest.raises(ValueError, match="'Age' has no number"):
        read(["x", "y"], "real", name="Age")


def test_lines_that_a_quote_has_swallowed() -> None:
    with pytest.raises(OpenQuoteError, match=r"^line 4: L is a word of 4 lines, 'a\\n5,b\\n6,a\\n"):
        read(["a", "b", "a\n5,b\n6,a\n7,b", "b", "a"])
    found = read(["a", "b"] * 40 + ["a\nb"])
    assert found.problems == [
        "line 82: L is 'a\\nb', expected one of a, b; taken as missing",
    ]


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(str.strip)
COMMON = st.sampled_from(["0", "1", "-1", "2", "0.5", "NA", "?", "low", "high", "A|B", "A", ""])
KINDS = ["", "binary", "categorical", "real", "ordinal", "a|b", "ordinal:a<b"]


@relaxed
@given(st.lists(WORDS | COMMON, min_size=1, max_size=20), st.sampled_from(KINDS))
def test_any_words_are_read_or_refused(words: list[str], kind: str) -> None:
    try:
        found = read(words, kind)
    except ValueError:
        return
    assert len(found.codes) == len(words)
    if isinstance(found.label, Real):
        assert not found.codes.isinf().any()
    else:
        top = len(found.label.classes) - 1
        known = found.codes[~found.codes.isnan()]
        assert ((known >= 0) & (known <= top) & (known == known.round())).all()
    # Whatever is not known is a mark, or a problem.
    unknown = sum(1 for word in words if word) - int((~found.codes.isnan()).sum())
    assert unknown == sum(found.marks.values()) + len(found.problems)


@relaxed
@given(st.lists(COMMON | st.sampled_from(["red", "None", "unknown"]), min_size=1, max_size=30))
def test_no_mark_is_a_class(words: list[str]) -> None:
    try:
        found = read(words)
    except ValueError:
        return
    assert not any(missing(name) for name in found.label.classes)
    assert marked(set(words)) - {""} == set(found.marks)


@relaxed
@given(
    st.lists(st.floats(0.125, 1e6, width=32), min_size=1, max_size=30),
    st.booleans(),
)
def test_numbers_are_read_as_they_were_written(numbers: list[float], comma: bool) -> None:
    words = [f"{value:.6f}" for value in numbers]
    found = read([word.replace(".", ",") for word in words] if comma else words, "real")
    assert codes(found) == [float(word) for word in words]


# Groups.


@pytest.mark.parametrize(
    ("words", "separator"),
    [
        (["A", "A|B", "B|C"], "|"),
        (["A;B", "A", "B"], ";"),
        (["A, B", "A", "B"], ","),
        (["A|B", "C|D"], ""),
        (["red, or so", "blond"], ""),
        (["smith, anna", "smith, john"], ""),
        (["a", "b"], ""),
    ],
)
def test_separators(words: list[str], separator: str) -> None:
    assert separator_of(dict.fromkeys(words, 1)) == separator


def test_a_column_with_several_labels() -> None:
    found = split_column("F", ["A", "A|B", "", "B | C", "NA"], "|")
    assert [column.label for column in found] == [Binary("A"), Binary("B"), Binary("C")]
    assert [codes(column) for column in found] == [
        [1, 1, None, 0, None],
        [0, 1, None, 1, None],
        [0, 0, None, 1, None],
    ]
    assert found[0].marks == {"NA": 1}
    with pytest.raises(ValueError, match="label 'F': expected 2 to 50 different words"):
        split_column("F", ["A", ""], "|")


def test_joined_labels_are_missing_where_they_do_not_say() -> None:
    parts = [read(words, "binary", name=name) for name, words in {
        "Black": ["1", "0", "0", "1"],
        "Blond": ["0", "1", "0", "1"],
    }.items()]  # fmt: skip
    found = join("Hair", parts)
    assert found.label == Categorical("Hair", ("Black", "Blond"))
    assert codes(found) == [0, 1, None, None]
    assert "1 rows have none and 1 have several" in found.notes[0]
    with pytest.raises(ValueError, match="expected binary labels to join, got Age"):
        join("Hair", [parts[0], read(["1.5", "2", "3", "4"], "real", name="Age")])


def test_parse_join() -> None:
    assert parse_join("Hair=A|B, D = x |y") == {"Hair": ("A", "B"), "D": ("x", "y")}
    for text in ("Hair", "Hair=A", "Hair=A|A", "=A|B"):
        with pytest.raises(ValueError, match=r"expected labels to join as NAME=COLUMN\|COLUMN"):
            parse_join(text)


def test_one_hot_groups() -> None:
    rows = {"P": "0101", "A": "1000", "B": "0110", "C": "0001", "D": "1111", "E": "0101"}
    columns = [read(list(words), "binary", name=name) for name, words in rows.items()]
    assert one_hot_groups(columns) == [("A", "B", "C")]
    assert one_hot_groups(columns[1:3]) == []
