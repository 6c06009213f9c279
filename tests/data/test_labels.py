import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccvae.data import Binary, Categorical, Kind, Label, LabelSpace, Ordinal, Real

# A machine that is busy with other things must not fail a test.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=7, unique=True)
HAIR = Categorical("Hair", ("Bald", "Black", "Blond"))
SPACE = LabelSpace([Binary("Smiling"), HAIR, Binary("Young")])


@st.composite
def spaces(draw: st.DrawFn) -> LabelSpace:
    labels: list[Label] = []
    for name in draw(NAMES):
        classes = tuple(map(str, range(draw(st.integers(2, 5)))))
        real = Real(name, draw(st.floats(-9, 99)), draw(st.floats(0.01, 99)))
        kinds = [Binary(name), Categorical(name, classes), Ordinal(name, classes), real]
        labels.append(draw(st.sampled_from(kinds)))
    return LabelSpace(labels)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[LabelSpace, torch.Tensor]:
    """A space with rows of codes, some of them missing."""
    space = draw(spaces())
    rows = [
        [draw(st.sampled_from([torch.nan, *range(len(label.classes) or 7)])) for label in space]
        for _ in range(draw(st.integers(1, 6)))
    ]
    return space, torch.tensor(rows, dtype=torch.float32)


@relaxed
@given(spaces())
def test_json_round_trip(space: LabelSpace) -> None:
    assert LabelSpace.from_json(json.loads(json.dumps(space.to_json()))) == space


@relaxed
@given(spaces())
def test_kinds_partition_the_columns(space: LabelSpace) -> None:
    columns = [column for kind in space.kinds for column in kind.columns]
    assert sorted(columns) == list(range(len(space)))
    assert len({kind.suffix for kind in space.kinds}) == len(space.kinds)
    for kind in space.kinds:
        own = [space.labels[column] for column in kind.columns]
        assert {len(label.classes) for label in own} == {kind.classes}
        assert {space.forms[column] for column in kind.columns} == {kind.form}
        assert {label.block for label in own} == {kind.block}
        assert list(kind.columns) == sorted(kind.columns)
    assert space.dimension == sum(kind.block * len(kind) for kind in space.kinds)
    assert [space.index(name) for name in space.names] == list(range(len(space)))


@relaxed
@given(labelled())
def test_frequencies_are_smoothed_shares(case: tuple[LabelSpace, torch.Tensor]) -> None:
    space, y = case
    space.check(y)
    for kind, table, equal in zip(space.kinds, space.frequencies(y), space.uniform(), strict=True):
        assert equal.shape == table.shape
        if kind.form == "real":
            for (mean, scale), codes in zip(table, kind.of(y).T, strict=True):
                seen = torch.cat([codes[~codes.isnan()], torch.tensor([-1.0, 1.0])])
                assert torch.allclose(mean, seen.mean(), atol=1e-5)
                assert torch.allclose(scale, seen.std(correction=0), atol=1e-5)
            continue
        assert table.shape == (len(kind), kind.classes)
        assert torch.allclose(table.sum(-1), torch.ones(len(kind)))
        assert (table > 0).all()
        for row, codes in zip(table, kind.of(y).T, strict=True):
            seen = codes[~codes.isnan()]
            expected = [
                ((seen == k).sum() + 1) / (len(seen) + kind.classes) for k in range(len(row))
            ]
            assert torch.allclose(row, torch.stack(expected))


def test_kinds_by_hand() -> None:
    assert SPACE.kinds == (Kind(2, (0, 2)), Kind(3, (1,)))
    assert [(k.block, k.suffix, len(k)) for k in SPACE.kinds] == [(1, "", 2), (2, "_3", 1)]
    y = torch.tensor([[0.0, 2.0, 1.0]])
    assert SPACE.kinds[0].of(y).tolist() == [[0, 1]]
    assert SPACE.kinds[1].of(y).tolist() == [[2]]


def test_ordered_and_real_labels_have_kinds_of_their_own() -> None:
    grades = ("low", "mid", "high")
    labels = [Real("Age", 40, 10), Ordinal("Grade", grades), HAIR, Ordinal("Sharp", ("no", "yes"))]
    space = LabelSpace([*labels, Binary("Young"), Real("BMI"), Ordinal("Stage", grades)])
    assert space.kinds == (
        Kind(2, (4,)),
        Kind(3, (2,)),
        Kind(2, (3,), "ordinal"),
        Kind(3, (1, 6), "ordinal"),
        Kind(0, (0, 5), "real"),
    )
    suffixes = ["", "_3", "_ordinal2", "_ordinal3", "_real"]
    assert [kind.suffix for kind in space.kinds] == suffixes
    assert space.dimension == 1 + 2 + 1 + 2 + 2
    y = torch.arange(7.0)[None]
    assert [kind.of(y).tolist() for kind in space.kinds[-2:]] == [[[1, 6]], [[0, 5]]]
    assert space.frequencies(torch.full((3, 7), torch.nan))[-1].tolist() == [[0, 1], [0, 1]]


def test_a_number_in_its_own_units_and_back() -> None:
    age = Real("Age", mean=40, scale=20)
    codes = torch.tensor([-1.0, 0.0, torch.nan])
    assert age.to_units(codes).nan_to_num(9).tolist() == [20, 40, 9]
    assert torch.equal(age.from_units(age.to_units(codes)).isnan(), codes.isnan())
    assert age.from_units(70.0) == 1.5
    with_age = LabelSpace([age])
    with_age.check(torch.tensor([[-7.5], [torch.nan]]))
    with pytest.raises(ValueError, match="'Age' has the code inf in row 1; expected a finite"):
        with_age.check(torch.tensor([[0.0], [torch.inf]]))


@pytest.mark.parametrize(("mean", "scale"), [(torch.nan, 1.0), (0.0, 0.0), (0.0, torch.inf)])
def test_a_real_label_needs_a_spread(mean: float, scale: float) -> None:
    with pytest.raises(ValueError, match="label 'Age': expected a finite mean and a positive"):
        Real("Age", mean, scale)


def test_json_of_old_runs_and_of_others() -> None:
    old = [{"name": "A"}, {"name": "B", "classes": ["x", "y", "z"]}]
    space = LabelSpace.from_json(old)
    assert space == LabelSpace([Binary("A"), Categorical("B", ("x", "y", "z"))])
    assert space.to_json() == old
    with pytest.raises(ValueError, match="expected a label of the kind ordinal or real, got 'im"):
        LabelSpace.from_json([{"name": "A", "kind": "imaginary"}])


def test_what_takes_some_forms_only_names_the_others() -> None:
    space = LabelSpace([Binary("A"), Real("Age"), Ordinal("Stage", ("I", "II"))])
    space.takes("M2", ("nominal", "ordinal", "real"))
    with pytest.raises(ValueError, match="expected binary and categorical labels for M2, got Age,"):
        space.takes("M2", ("nominal",))


def test_frequencies_by_hand() -> None:
    y = torch.tensor([[1, 0, torch.nan], [1, 2, torch.nan], [torch.nan, 2, torch.nan]])
    binary, hair = SPACE.frequencies(y)
    assert torch.allclose(binary, torch.tensor([[1 / 4, 3 / 4], [1 / 2, 1 / 2]]))
    assert torch.allclose(hair, torch.tensor([[2 / 6, 1 / 6, 3 / 6]]))


@pytest.mark.parametrize("classes", [(), ("only",), ("twice", "twice")])
def test_categorical_needs_distinct_classes(classes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="label 'Hair': expected two or more distinct classes"):
        Categorical("Hair", classes)


def test_names_are_unique() -> None:
    with pytest.raises(ValueError, match="expected every label to have its own name"):
        LabelSpace([Binary("Young"), Categorical("Young", ("a", "b", "c"))])


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown label 'Old'; .* has Smiling, Hair, Young"):
        SPACE.index("Old")


@pytest.mark.parametrize("code", [-1.0, 3.0, 0.5, torch.inf])
def test_check_names_label_code_and_row(code: float) -> None:
    y = torch.zeros(4, 3)
    y[2, 1] = code
    message = rf"'Hair' has the code {code:g} in row 2; expected a whole number from 0 to 2 \(Bald"
    with pytest.raises(ValueError, match=message):
        SPACE.check(y)


@pytest.mark.parametrize(
    "y", [torch.zeros(4, 2), torch.zeros(3), torch.zeros(4, 3, dtype=torch.int64)]
)
def test_check_shape_and_type(y: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"expected labels as floats of shape \(rows, 3\)"):
        SPACE.check(y)
