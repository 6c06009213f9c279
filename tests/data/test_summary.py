"""What a data set is said to be made of."""

import math
from pathlib import Path

import pytest
import torch
from PIL import Image

from ccvae.data import Binary, Categorical, Dataset, Label, LabelSpace, Ordinal, Real
from ccvae.data.summary import contact_sheet, correlations, describe


def make(labels: torch.Tensor, *kinds: Label, channels: int = 3) -> Dataset:
    rows = torch.arange(len(labels))
    images = rows.byte()[:, None, None, None].expand(-1, channels, 8, 6)
    return Dataset("made", images, labels, None, LabelSpace(kinds), rows[2:], rows[:2])


def test_correlation_of_binary_labels_is_pearsons() -> None:
    labels = torch.rand(200, 2).round()
    labels[:80, 1] = 1 - labels[:80, 0]
    expected = torch.corrcoef(labels.T)[0, 1].item()
    labels = torch.cat([labels, torch.tensor([[math.nan, 1.0], [0.0, math.nan]])])
    found = correlations(make(labels, Binary("A"), Binary("B")))
    assert found == {"A": {"B": pytest.approx(expected)}}
    assert expected < 0


def test_cramers_v() -> None:
    codes = torch.arange(60) % 3
    labels = torch.stack([codes, (codes + 1) % 3, codes.clamp(max=1), torch.zeros(60)], -1).float()
    three, other = (Categorical(name, ("a", "b", "c")) for name in "AB")
    found = correlations(make(labels, three, other, Binary("C"), Binary("D")))
    assert found["A"]["B"] == pytest.approx(1)
    assert found["A"]["C"] == pytest.approx(1)
    assert found["A"]["D"] is None
    independent = torch.cartesian_prod(torch.arange(3), torch.arange(3)).float()
    assert correlations(make(independent, three, other)) == {"A": {"B": pytest.approx(0)}}


def test_problems() -> None:
    labels = torch.tensor([[1, 0, math.nan], [1, 1, math.nan], [math.nan, 0, math.nan]])
    data = make(labels, Binary("A"), Categorical("B", ("a", "b", "c")), Binary("C"))
    found = describe(data, batch_size=3)
    assert found["problems"] == [
        "A: every annotated row has the same class",
        "B: no row has the class c",
        "B: no training row has the class b (1 other rows have it)",
        "B: every annotated training row has the class a",
        "C: no row is annotated",
        "1 training rows are fewer than a batch of 3; give a smaller --batch-size",
    ]
    assert found["labels"]["A"]["majority"] == 1
    assert found["labels"]["C"]["majority"] is None
    assert found["majority"] == pytest.approx((1 + 2 / 3) / 2)


def test_problems_of_parts() -> None:
    """Row 0 and 1 are for testing; a class, or a label, that these alone show is said so."""
    nan = math.nan
    labels = torch.tensor([[1, 2, 2, 0], [1, 0, nan, nan], [nan, 0, 0, nan], [nan, 1, 1, 7.0]])
    kinds = Categorical("B", ("a", "b", "c")), Ordinal("C", ("x", "y", "z")), Real("D")
    found = describe(make(labels[:, 1:], *kinds))["problems"]
    assert found == [
        "B: no training row has the class c (1 other rows have it)",
        "C: no training row has the class z (1 other rows have it)",
    ]
    found = describe(make(labels[[2, 3, 0, 1]], Binary("A"), *kinds))["problems"]
    assert found[:2] == [
        "A: every annotated row has the same class",
        "B: no training row has the class b (1 other rows have it)",
    ]
    found = describe(make(labels[[1, 1, 2, 3]], Binary("A"), *kinds))["problems"]
    assert "D: no test row is annotated, so it cannot be evaluated" in found
    found = describe(make(labels[[3, 0, 1, 1]], Binary("A"), *kinds))["problems"]
    assert "D: no training row is annotated, 2 others are; nothing is learnt" in found


def test_numbers_in_their_units() -> None:
    numbers = torch.arange(50.0)
    age, grade = Real("Age", 40, 10), Ordinal("Grade", ("low", "mid", "high"))
    labels = torch.stack([numbers, (numbers / 17).floor(), numbers % 2, numbers % 5], -1)
    labels[3, 0] = math.nan
    sorts = Categorical("Sort", tuple("abcde"))
    found = describe(make(labels, age, grade, Binary("Odd"), sorts))
    assert found["labels"]["Age"]["kind"] == "real"
    assert found["labels"]["Age"]["missing"] == 1
    assert found["labels"]["Age"]["numbers"]["max"] == 40 + 490
    assert found["labels"]["Grade"]["classes"] == {"low": 17, "mid": 17, "high": 16}
    together = found["correlations"]
    some = ~labels[:, 0].isnan()
    expected = torch.corrcoef(labels[some, :2].T)[0, 1].item()
    assert together["Age"]["Grade"] == pytest.approx(expected, abs=1e-6)
    assert 0 <= together["Age"]["Sort"] < 0.3
    assert together["Odd"]["Sort"] == pytest.approx(0, abs=1e-6)
    assert found["majority"] == pytest.approx((17 / 50 + 0.5 + 0.2) / 3)


def test_the_correlation_ratio() -> None:
    codes = torch.arange(60.0) % 3
    three, age = Categorical("Sort", ("a", "b", "c")), Real("Age")
    found = correlations(make(torch.stack([codes, (codes - 1) ** 2], -1), three, age))
    assert found["Sort"]["Age"] == pytest.approx(1)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_sheet_shows_each_class_in_its_row(tmp_path: Path, channels: int) -> None:
    labels = (torch.arange(40) % 2).float()[:, None]
    contact_sheet(make(labels, Binary("Odd"), channels=channels), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        for line, first in ((0, 0), (1, 1)):
            shown = [image.getpixel((190 + place * 8 + 3, line * 16 + 4)) for place in range(10)]
            assert shown == [(first + 2 * place,) * 3 for place in range(10)]
