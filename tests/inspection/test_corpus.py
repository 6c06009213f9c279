"""Inspection is right on programs that others would write: edges, roles, plates, densities."""

import pytest

from ccvae.benchmarks.inspection import load_corpus

corpus = load_corpus()


def test_the_corpus_is_large_and_its_names_are_its_own():
    names = [case.name for case in corpus.CASES]
    assert len(set(names)) == len(names)
    assert len({id(case.model) for case in corpus.CASES}) >= 95


@pytest.mark.parametrize("case", corpus.CASES, ids=lambda case: case.name)
def test_what_is_known_of_a_program_is_consistent(case):
    """Parents are drawn before their children, and everything named is a site."""
    drawn = set()
    for factor in case.factors:
        assert not factor.given & set(case.sites) - drawn
        drawn |= factor.of
    members = {name for _, names in case.boxes.values() for name in names}
    assert members | set(case.observed.split()) | set(case.partly.split()) <= drawn


@pytest.mark.parametrize("case", corpus.CASES, ids=lambda case: case.name)
def test_inspection_is_right(case):
    assert corpus.faults(case, corpus.look(case)) == []
