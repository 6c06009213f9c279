"""Tables as they are found: read right, or refused in one line that names the way out."""

from pathlib import Path

import pytest
import torch

from ccvae.data import Real
from ccvae.data.decode import Decoding
from ccvae.data.images import images

from . import forms_documents, forms_faces, forms_medicine, forms_programs, forms_refused
from .forms import COUNT, NO, READ, REFUSED, plain_names, rows_of, shades

MODULES = (forms_documents, forms_faces, forms_medicine, forms_programs, forms_refused)
"""Imported so that their forms are there."""


@pytest.mark.parametrize("name", READ)
def test_a_form_is_read_right(tmp_path: Path, name: str) -> None:
    form = READ[name](tmp_path)
    options = dict(form.options)
    data = images(form.folder, decoding=Decoding(8), **options)
    order = rows_of(data)
    assert sorted(order) == list(range(COUNT)), data.problems
    assert set(data.space.names) == set(form.labels), (data.problems, data.notes)
    for column, label in enumerate(data.space):
        expected, codes = form.labels[label.name]
        found = data.labels[:, column]
        if isinstance(label, Real):
            assert expected is Real
            known = found[data.train][~found[data.train].isnan()]
            assert known.mean().abs() < 1e-5
            assert (known.std(correction=0) - 1).abs() < 1e-5
            found = label.to_units(found)
        else:
            assert label == expected
        wanted = torch.tensor([torch.nan if codes[i] is NO else float(codes[i]) for i in order])
        torch.testing.assert_close(found, wanted, equal_nan=True, rtol=1e-4, atol=1e-4)
    for part in form.notes:
        assert any(part in note for note in data.notes), (part, data.notes)
    for part in form.problems:
        assert any(part in problem for problem in data.problems), (part, data.problems)
    if form.test is not None:
        assert {order[row] for row in data.test.tolist()} == set(form.test)
    assert all("\n" not in line for line in (*data.notes, *data.problems))


@pytest.mark.parametrize("name", REFUSED)
def test_a_form_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    form, words = REFUSED[name]
    folder, options = form(tmp_path)
    with pytest.raises(ValueError, match=words) as caught:
        images(folder, decoding=Decoding(8), **options)
    assert "\n" not in str(caught.value)


def test_there_are_forms_enough() -> None:
    assert len(READ) + len(REFUSED) >= 40


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1....PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    folder = shades(tmp_path / "im", plain_names())
    with pytest.raises(ValueError, match="needs pyarrow: pip install pyarrow, or save it as CSV"):
        images(folder, tmp_path / "t.parquet", decoding=Decoding(8))


def test_parquet_where_pyarrow_is_installed(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {
        "file": plain_names(),
        "Odd": [i % 2 == 1 for i in range(COUNT)],
        "Score": [None if i == 3 else i / 4 for i in range(COUNT)],
        "Found": [["a"], ["a", "b"], ["b"]] * (COUNT // 3),
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    folder = shades(tmp_path / "im", plain_names())
    data = images(folder, tmp_path / "t.parquet", decoding=Decoding(8))
    assert data.space.names == ("Odd", "Score", "a", "b")
    assert data.labels[:, 0].tolist() == [i % 2 for i in rows_of(data)]
    assert data.labels[:, 1].isnan().sum() == 1
    assert data.labels[:6, 3].tolist() == [0, 1, 1, 0, 1, 1]
