"""Where a tensor comes from, through everything that Pyro's own provenance loses."""

import pytest
import torch

from ccvae.inspection.recording.provenance import Provenance


def in_place(a, b):
    target = torch.zeros(4)
    target[1:3] = a[0] * b[0]
    return target


CASES = {
    "arithmetic": (lambda a, b: a * 2 + b, "ab"),
    "item assignment": (in_place, "ab"),
    "vmap": (lambda a, b: torch.vmap(lambda row: row.sum() * row)(a[:, None]), "a"),
    "a network": (lambda a, b: torch.nn.functional.linear(a, b.expand(2, 4)), "ab"),
    "a choice": (lambda a, b: torch.where(a > 0, 1.0, b), "ab"),
    "indices": (lambda a, b: b[a.long()], "ab"),
    "a mask written to": (lambda a, b: torch.ones(4).masked_fill_(a > 0, 0.0), "a"),
    "the shape alone": (lambda a, b: torch.zeros_like(a), ""),
    "a view": (lambda a, b: a.reshape(2, 2).T[0], "a"),
    "out=": (lambda a, b: torch.add(a, 1.0, out=torch.empty(4)), "a"),
    "a dictionary": (lambda a, b: {"first": [a + 1]}, "a"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_an_operation_depends_on(name):
    function, expected = CASES[name]
    a, b = torch.rand(4), torch.rand(4)
    with torch.no_grad(), Provenance() as provenance:
        provenance.mark(a, "a")
        provenance.mark(b, "b")
        found = provenance.of(function(a, b))
    assert found == set(expected)


COLUMNS = {
    "a list": (lambda y: y[:, [2, 0]], {0, 2}),
    "a slice": (lambda y: y[..., 1:], {1, 2}),
    "one": (lambda y: y[:, 1, None].nan_to_num(), {1}),
    "missing": (lambda y: ~y[:, 2:].isnan(), {2}),
    "another type": (lambda y: y.double()[:, 0] * 2, {0}),
    "all": (lambda y: y.sum(-1), {0, 1, 2}),
    "turned around": (lambda y: y.T[0], {0}),
    "unbound": (lambda y: y.unbind(-1)[2], {2}),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_columns_of_a_table_are_told_apart(name):
    function, expected = COLUMNS[name]
    y = torch.rand(4, 3)
    with torch.no_grad(), Provenance() as provenance:
        provenance.mark_columns(y, "y")
        found = provenance.of(function(y))
    assert found == {("y", column) for column in expected}


def test_an_absent_column_is_no_origin():
    y = torch.rand(4, 3)
    with torch.no_grad(), Provenance() as provenance:
        provenance.mark_columns(y, "y", absent=torch.tensor([True, False, True]))
        assert provenance.of(y + 1) == {("y", 1)}


def test_a_number_that_is_read_is_noted():
    a = torch.ones(())
    with torch.no_grad(), Provenance() as provenance:
        provenance.mark(a, "a")
        _ = 1.0 if a > 0 else 2.0
    assert provenance.read == {"a"}
