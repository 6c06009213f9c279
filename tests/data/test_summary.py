"""What a data set is said to be made of."""

import math
from pathlib import Path

import pytest
import torch
from PIL import Image

from ccvae.data import Binary, Categorical, Dataset, LabelSpace
from ccvae.data.summary import contact_sheet, correlations, describe


def make(labels: torch.Tensor, *kinds: Binary | Categorical, channels: int = 3) -> Dataset:
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
        "C: no row is annotated",
        "1 training rows are fewer than a batch of 3; give a smaller --batch-size",
    ]
    assert found["labels"]["A"]["majority"] == 1
    assert found["labels"]["C"]["majority"] is None
    assert found["majority"] == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_sheet_shows_each_class_in_its_row(tmp_path: Path, channels: int) -> None:
    labels = (torch.arange(40) % 2).float()[:, None]
    contact_sheet(make(labels, Binary("Odd"), channels=channels), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        for line, first in ((0, 0), (1, 1)):
            shown = [image.getpixel((190 + place * 8 + 3, line * 16 + 4)) for place in range(10)]
            assert shown == [(first + 2 * place,) * 3 for place in range(10)]
