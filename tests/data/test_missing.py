import math

import torch

from ccvae.data import rows_by_missing
from ccvae.data.missing import noted

Y = torch.tensor([[0.0, 1.0], [math.nan, 1.0], [math.nan, math.nan], [1.0, 0.0]])


def test_on_the_cpu_the_labels_answer_until_they_change() -> None:
    y = Y.clone()
    known, missing = rows_by_missing(y)
    assert (known.tolist(), missing.tolist()) == ([0, 3], [1, 2])
    assert rows_by_missing(y)[0] is known  # remembered
    y[1, 0] = 0.0
    assert rows_by_missing(y)[1].tolist() == [2]


def test_on_a_device_the_note_answers_until_the_labels_change() -> None:
    y = Y.to("meta")
    known, missing = rows_by_missing(y)
    assert (len(known), len(missing)) == (0, 4)
    noted(y, *(rows.to("meta") for rows in rows_by_missing(Y)))
    assert [len(rows) for rows in rows_by_missing(y)] == [2, 2]
    y[1, 0] = 0.0
    assert [len(rows) for rows in rows_by_missing(y)] == [0, 4]


def test_tensors_that_do_not_count_their_changes_carry_no_note() -> None:
    with torch.inference_mode():
        y = noted(Y.to("meta"), *(rows.to("meta") for rows in rows_by_missing(Y)))
    assert [len(rows) for rows in rows_by_missing(y)] == [0, 4]
