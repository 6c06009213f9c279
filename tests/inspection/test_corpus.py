"""Inspection is right on programs that others would write: edges, roles, plates, densities."""

from dataclasses import replace

import pyro
import pytest

from ccvae.benchmarks.inspection import load_corpus
from ccvae.inspection.blankets import variables
from ccvae.inspection.layout import lay_out
from ccvae.inspection.legibility import flaws

corpus = load_corpus()

PARTS = ("observed", "missing")


@pytest.fixture(scope="module")
def found():
    """Inspections by the name of their program, each made once."""
    made = {}

    def look(case):
        if case.name not in made:
            pyro.set_rng_seed(0)
            made[case.name] = corpus.look(case)
        return made[case.name]

    return look


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
def test_inspection_is_right(case, found):
    assert corpus.faults(case, found(case)) == []


@pytest.mark.parametrize("case", corpus.CASES, ids=lambda case: case.name)
def test_its_figure_misleads_nobody(case, found):
    assert flaws(lay_out(found(case).graph)) == []


@pytest.mark.parametrize("case", corpus.CASES, ids=lambda case: case.name)
def test_its_graph_answers(case, found):
    """A blanket separates its variable from all others, and what is missing is needed."""
    graph = found(case).graph
    inverse = graph.inverse()
    assert {arrow.key for arrow in inverse.missing} <= {arrow.key for arrow in inverse.needed} | {
        replace(arrow, given=part).key for arrow in inverse.needed for part in PARTS
    }
    for name in variables(graph):
        blanket = graph.blanket(name)
        others = [n for n in variables(graph) if n != name and n not in blanket]
        assert not others or graph.independent(name, others, given=blanket)
