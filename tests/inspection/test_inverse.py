"""The minimal faithful inverse, beside exact posteriors of linear-Gaussian programs."""

import random
from contextlib import ExitStack

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro import poutine

from ccvae.inspection import Edge, Graph, Node, inspect_pair
from ccvae.inspection.dag import Dag
from ccvae.inspection.figure import STROKES, save_graph
from ccvae.inspection.graph import Chain
from ccvae.inspection.inverting import invert
from ccvae.inspection.layout import lay_out
from ccvae.inspection.tikz import tikz


def arrows(found):
    return {str(arrow) for arrow in found}


def coefficients(precision, child, before):
    """Of the best prediction of one variable from others that are jointly Gaussian with it."""
    covariance = precision.inverse()
    return torch.linalg.solve(covariance[before][:, before], covariance[before, child])


def test_linear_gaussian_graphs():
    """A variable's parents are those of all before it that its exact conditional mean uses."""
    draw, generator = random.Random(0), torch.Generator().manual_seed(0)
    counts = []
    for _ in range(300):
        size = draw.randint(3, 8)
        parents = {i: tuple(j for j in range(i) if draw.random() < 0.4) for i in range(size)}
        weights = torch.zeros(size, size, dtype=torch.float64)
        for i, above in parents.items():
            weights[i, list(above)] = torch.rand(len(above), generator=generator).double() + 0.5
        whitened = torch.eye(size, dtype=torch.float64) - weights
        precision = whitened.T @ whitened
        nodes = draw.sample(range(size), size)
        evidence, order = nodes[: size // 3], nodes[size // 3 : draw.choice([size, size - 1])]
        found = invert(Dag(parents), order, evidence)
        for place, child in enumerate(order):
            before = [*evidence, *order[:place]]
            used = coefficients(precision, child, before) if before else ()
            assert {b for b, w in zip(before, used, strict=True) if abs(w) > 1e-9} == set(
                found[child]
            )
        counts.append(sum(map(len, found.values())))
    assert len(set(counts)) > 10


def test_functions_need_no_arrow_past_what_is_known():
    """c and d are tied by f = f(a) alone, and f is known where a is."""
    parents = {"a": (), "f": ("a",), "c": ("f",), "d": ("f",)}
    functional = Dag(parents, frozenset({"f"}))
    assert invert(functional, ["c", "d"], ["a"]) == {"d": ["a"], "c": ["a"]}
    assert invert(Dag(parents), ["c", "d"], ["a"]) == {"d": ["a", "c"], "c": ["a"]}


def factors(x):
    """Two rows of three blocks and a style, all mixed into one observation."""
    scale = pyro.sample("scale", dist.Normal(torch.zeros((), dtype=x.dtype), 1.0))
    with pyro.plate("rows", 2, dim=-2):
        style = pyro.sample("style", dist.Normal(0.3 * scale, 1.0))
        with pyro.plate("blocks", 3, dim=-1):
            label = pyro.sample("label", dist.Normal(0.4 * style, 1.0))
            block = pyro.sample("block", dist.Normal(0.7 * label, 1.0))
        mean = block.sum(-1, keepdim=True) + 0.5 * style + 0.2 * scale
        pyro.sample("x", dist.Normal(mean, 1.0), obs=x)


def guide_in(order):
    """A guide that draws sites in an order, each from x alone."""

    def guide(x):
        rows, blocks = pyro.plate("rows", 2, dim=-2), pyro.plate("blocks", 3, dim=-1)
        around = {"scale": (), "style": (rows,), "label": (rows, blocks), "block": (rows, blocks)}
        for name in order:
            mean = (x.sum() if name == "scale" else x).expand(SHAPES[name])
            with ExitStack() as stack:
                for plate in around[name]:
                    stack.enter_context(plate)
                pyro.sample(name, dist.Normal(mean, 1.0))

    return guide


SHAPES = {"scale": (), "style": (2, 1), "label": (2, 3), "block": (2, 3), "x": (2, 1)}

ORDERS = [
    ("scale", "style", "label", "block"),
    ("block", "label", "style", "scale"),
    ("style", "block", "scale", "label"),
    ("label", "scale", "block"),
]


def exact_precision():
    """Of all cells of the program jointly, and which cells belong to which site."""
    places, size = {}, 0
    for name, shape in SHAPES.items():
        count = torch.Size(shape).numel()
        places[name], size = range(size, size + count), size + count

    def density(flat):
        values = {n: flat[p.start : p.stop].reshape(SHAPES[n]) for n, p in places.items()}
        x = values.pop("x")
        with pyro.validation_enabled(False):
            conditioned = poutine.condition(factors, data=values)
            return poutine.trace(conditioned).get_trace(x).log_prob_sum()

    hessian = torch.autograd.functional.hessian(density, torch.zeros(size, dtype=torch.float64))
    return -hessian, places


@pytest.mark.parametrize("order", ORDERS)
def test_programs_with_plates(order):
    """Every arrow of the inverse is a coefficient of the exact posterior, and there are no more."""
    precision, places = exact_precision()
    x = torch.zeros(2, 1, dtype=torch.float64)
    found = inspect_pair(factors, guide_in(order), x).graph.inverse()
    expected, before = set(), [*places["x"]]
    of = {cell: name for name, cells in places.items() for cell in cells}
    for name in order:
        for cell in places[name]:
            for other, weight in zip(before, coefficients(precision, cell, before), strict=True):
                if abs(weight) > 1e-9:
                    expected.add((of[other], name, between(places, of, other, cell)))
            before.append(cell)
    assert {(a.parent, a.child, a.between) for a in found.needed} == expected
    stated = {("x", name, ()) for name in order}
    missing = {(a.parent, a.child, a.between) for a in (*found.missing, *found.between)}
    assert missing == expected - stated


def between(places, of, one, other):
    """The plates in which two cells differ."""

    def at(cell):
        name = of[cell]
        number = cell - places[name].start
        if name in ("label", "block"):
            return {"rows": number // 3, "blocks": number % 3}
        return {"rows": number} if name != "scale" else {}

    return tuple(plate for plate, n in at(one).items() if at(other).get(plate, n) != n)


def test_ccvae(inspected):
    """CC-VAE's objective gives its guide the arrow y → z_c, which Adapted DIVA's lacks."""
    adapted = inspected("ccvae", "adapted-diva").graph.inverse()
    conditioned = inspected("ccvae", "ccvae").graph.inverse()
    assert arrows(adapted.missing) - arrows(conditioned.missing) == {"y where known → z_c"}
    assert arrows(conditioned.missing) == {"z_style → z_c", "y where known → z_style"}
    assert "z_c → z_c (between cells of labels)" in arrows(conditioned.between)
    paths = {(a.parent, a.child): a.path for a in adapted.missing}
    assert paths["z_style", "z_c"] == "z_style → x ← z_c"
    assert paths["y", "z_style"] == "y → z_c → x ← z_style"
    assert not adapted.needless
    assert not adapted.faithful


@pytest.mark.parametrize("labels", ["none", "all"])
def test_ccvae_without_and_with_all_labels(inspected, labels):
    missing = arrows(inspected("ccvae", "adapted-diva", labels).graph.inverse().missing)
    y = {"y → z_c", "y → z_style"} if labels == "all" else set()
    assert missing == {"z_style → z_c"} | y


@pytest.mark.parametrize("labels", ["none", "all", "some"])
@pytest.mark.parametrize("program", ["vae", "m2"])
def test_guides_that_can_express_the_posterior(inspected, program, labels):
    inverse = inspected(program, labels=labels).graph.inverse()
    assert inverse.faithful
    assert not inverse.needless
    assert "its arrows can express the posterior" in inverse.to_text()


def chain(a="latent", b="latent"):
    nodes = {"a": Node("a", a), "b": Node("b", b), "x": Node("x", "observed")}
    return nodes, {Edge("a", "b", "p"), Edge("b", "x", "p")}


def test_what_a_guide_states_needlessly():
    """In a chain a → b → x the data tell nothing of a that b does not."""
    nodes, model = chain()
    guide = {Edge("x", "b", "q"), Edge("x", "a", "q"), Edge("b", "a", "q")}
    inverse = Graph(nodes, frozenset(model | guide), {}, ("b", "a")).inverse()
    assert inverse.faithful
    assert arrows(inverse.needless) == {"x → a"}
    other_way = Graph(nodes, frozenset(model | guide - {Edge("b", "a", "q")}), {}, ("a", "b"))
    assert arrows(other_way.inverse().missing) == {"a → b"}


def test_a_guide_that_reads_no_data_is_fitted_to_them():
    nodes, model = chain()
    graph = Graph(nodes, frozenset(model), {}, ("a", "b"))
    inverse = graph.inverse()
    assert inverse.fitted == ("a", "b")
    assert arrows(inverse.missing) == {"a → b"}
    together = Graph(nodes, frozenset(model), {}, ("a", "b"), blocks=(("a", "b"),))
    assert together.inverse().faithful


def test_latents_that_the_guide_does_not_draw_are_summed_out():
    """Both are tied through a, which nobody draws."""
    nodes = {n: Node(n, "latent") for n in "abc"} | {"x": Node("x", "observed")}
    edges = {Edge("a", "b", "p"), Edge("a", "c", "p"), Edge("c", "x", "p"), Edge("x", "c", "q")}
    inverse = Graph(nodes, frozenset(edges), {}, ("c", "b")).inverse()
    assert arrows(inverse.needed) == {"x → c", "c → b"}
    assert inverse.missing[0].path == "c ← a → b"


def test_missing_arrows_are_drawn(inspected, tmp_path):
    graph = inspected("ccvae", "adapted-diva").graph
    whole = graph.inverse().added_to(graph)
    drawing = lay_out(whole)
    drawn = {(a.edge.parent, a.edge.child) for a in drawing.arrows if a.kind == "missing"}
    assert drawn == {("y", "z_c"), ("y", "z_style"), ("z_style", "z_c")}
    assert not [a for a in lay_out(whole, "p").arrows if a.kind == "missing"]
    color = STROKES["missing"]["color"]
    save_graph(whole, tmp_path / "figure.svg")
    assert f"stroke: {color}" in (tmp_path / "figure.svg").read_text()
    assert tikz(whole).count(r"\draw[missing]") == 3


def test_a_graph_folded_over_time_is_not_asked():
    nodes, model = chain()
    folded = Graph(nodes, frozenset(model), {}, ("a",), chains=(Chain("t", 9, ("a",)),))
    with pytest.raises(ValueError, match="expected a graph with every step of its loops"):
        folded.inverse()
