"""Graphs after interventions."""

import itertools
import random

import pytest

from ccvae.inspection import LATEX, Edge, Graph, Node, Plate, joint


def confounded():
    """z → x → y ← z with a guide."""
    nodes = {"z": Node("z", "latent"), "x": Node("x", "latent"), "y": Node("y", "observed")}
    model = {Edge("z", "x", "p"), Edge("z", "y", "p"), Edge("x", "y", "p")}
    guide = {Edge("y", "z", "q"), Edge("a", "x", "q")}
    nodes["a"] = Node("a", "auxiliary")
    return Graph(nodes, frozenset(model | guide), {}, ("z", "x"))


def test_arrows_into_what_is_set_are_cut():
    after = confounded().do("x")
    assert after.edges == {Edge("z", "y", "p"), Edge("x", "y", "p")}
    assert after.nodes["x"].role == "intervened"
    assert set(after.nodes) == {"z", "x", "y"}
    assert after.guided == ()
    assert joint(after) == "p(y,z|do(x)) = p(z) p(y|z,x)"
    assert joint(after, LATEX).startswith(r"p(y, z \mid \mathrm{do}(x)) = ")


def test_several_and_none():
    before = confounded()
    assert before.do("x", "z").edges == {Edge("z", "y", "p"), Edge("x", "y", "p")}
    assert joint(before.do("y")) == "p(z,x) = p(z) p(x|z)"


def test_ccvae(inspected):
    after = inspected("ccvae").graph.do("y")
    assert joint(after) == r"p(x,z_c,z_\c|do(y)) = ∏_{i=1}^{L} [p(z_c^i|y^i)] p(z_\c) p(x|z_c,z_\c)"
    assert set(after.plates) == {"data", "labels"}


def test_asked_of_the_graph_or_in_the_question():
    """Cutting the arrows and asking is asking under do: on random graphs with plates."""
    draw = random.Random(0)
    answers = []
    for _ in range(400):
        plates = {name: draw.choice([(), ("i",)]) for name in "abcde"}
        nodes = {name: Node(name, "latent", own) for name, own in plates.items()}
        edges = {
            Edge(u, v, "p") for u, v in itertools.combinations(nodes, 2) if draw.random() < 0.5
        }
        found = Graph(nodes, frozenset(edges), {"i": Plate("i", (3,))}, ())
        first, second, given, set_ = draw.sample(list(nodes), 4)
        answer = found.independent(first, second, given, do=set_)
        answers.append(bool(answer))
        assert answers[-1] == bool(found.do(set_).independent(first, second, given))
        assert f"under do({set_})" in answer.sentence
    assert 0.1 < sum(answers) / len(answers) < 0.9


def test_one_cell_is_set():
    """Setting x[1] cuts its tie to x[2] through their common parent, and no other."""
    nodes = {"m": Node("m", "latent")} | {n: Node(n, "latent", ("i",)) for n in "xy"}
    edges = frozenset({Edge("m", "x", "p"), Edge("x", "y", "p")})
    found = Graph(nodes, edges, {"i": Plate("i", (3,))}, ())
    assert not found.independent("y[1]", "y[2]")
    assert found.independent("y[1]", "y[2]", do="x[1]")
    assert not found.independent("y[2]", "y[3]", do="x[1]")


@pytest.mark.parametrize("name", ["w", "a"])
def test_what_is_no_variable_of_the_model(name):
    with pytest.raises(ValueError, match=f"'{name}' is no variable of the model; set one of z, x"):
        confounded().do(name)


def test_what_is_set_is_not_asked_about():
    with pytest.raises(ValueError, match="x is given to the program; ask about others"):
        confounded().do("x").independent("x", "y")
