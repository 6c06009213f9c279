import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccvae.data import Binary, Categorical, Kind, Label, LabelSpace

# A machine that is busy with other things must not fail a test.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=7, unique=True)
HAIR = Categorical("Hair", ("Bald", "Black", "Blond"))
SPACE = LabelSpace([Binary("Smiling"), HAIR, Binary("Young")])


@st.composite
def spaces(draw: st.DrawFn) -> LabelSpace:
    labels: list[Label] = []
    for name in draw(NAMES):
        classes = draw(st.integers(1, 5))
        labels.append(
            Binary(name) if classes == 1 else Categorical(name, tuple(map(str, range(classes))))
        )
    return LabelSpace(labels)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[LabelSpace, torch.Tensor]:
    """A space with rows of codes, some of them missing."""
    space = draw(spaces())
    rows = [
        [draw(st.sampled_from([torch.nan, *range(len(label.classes))])) for label in space]
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
    assert [kind.classes for kind in space.kinds] == sorted({len(x.classes) for x in space})
    for kind in space.kinds:
        assert {len(space.labels[column].classes) for column in kind.columns} == {kind.classes}
        assert list(kind.columns) == sorted(kind.columns)
    assert space.dimension == sum(kind.block * len(kind) for kind in space.kinds)
    assert [space.index(name) for name in space.names] == list(range(len(space)))


@relaxed
@given(labelled())
def test_frequencies_are_smoothed_shares(case: tuple[LabelSpace, torch.Tensor]) -> None:
    space, y = case
    space.check(y)
    for kind, table in zip(space.kinds, space.frequencies(y), strict=True):
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
