"""Densities as they are written, beside the papers'."""

import pyro
import pyro.distributions as dist
import pytest
import torch

from ccvae.inspection import (
    LATEX,
    UNICODE,
    Edge,
    Graph,
    Node,
    Plate,
    factorisation,
    inspect_pair,
    joint,
)
from ccvae.inspection.drawing.layout import lay_out
from ccvae.inspection.writing.formulas import write_term

MODELS = {
    "vae": "p(x,z) = p(z) p(x|z)",
    "m2": "p(x,y,z) = p(y) p(z) p(x|y,z)",
    "diva": (
        "p(x,d,y,z_d,z_x,z_y) = p(d) p(z_d|d) p(z_x) "
        "∏_{i=1}^{L} [p(y^i) p(z_y^i|y^i)] p(x|z_d,z_x,z_y)"
    ),
    "ccvae": r"p(x,y,z_c,z_\c) = ∏_{i=1}^{L} [p(y^i) p(z_c^i|y^i)] p(z_\c) p(x|z_c,z_\c)",
}

GUIDES = {
    ("vae", "", "some"): "q(z|x)",
    ("m2", "", "none"): "q(y,z|x) = q(y|x) q(z|x,y)",
    ("m2", "", "all"): "q(z|x,y)",
    ("m2", "", "some"): "q(y_U,z|x) = q(y_U|x) q(z|x,y)",
    ("diva", "", "some"): (
        "q(z_d,d_U,z_x,z_y,y_U|x) = q(z_d|x) q(d_U|z_d) q(z_x|x) "
        "∏_{i=1}^{L} q(z_y^i|x) ∏_{i∈U} q(y^i|z_y^i)"
    ),
    ("ccvae", "adapted-diva", "some"): (
        r"q(z_\c,z_c,y_U|x) = q(z_\c|x) ∏_{i=1}^{L} q(z_c^i|x) ∏_{i∈U} q(y^i|z_c^i)"
    ),
    ("ccvae", "ccvae", "none"): (
        r"q(z_\c,z_c,y|x) = q(z_\c|x) ∏_{i=1}^{L} q(z_c^i|x) q(y^i|z_c^i)"
    ),
    ("ccvae", "ccvae", "all"): r"q(z_\c,z_c|x,y) = q(z_\c|x) ∏_{i=1}^{L} q(z_c^i|x,y^i)",
    ("ccvae", "ccvae", "some"): (
        r"q(z_\c,z_c,y_U|x,y_O) = q(z_\c|x) ∏_{i=1}^{L} q(z_c^i|x,y_O^i) ∏_{i∈U} q(y^i|z_c^i)"
    ),
    ("ccvae", "marginal", "all"): r"q(z_\c,z_c|x,y) = q(z_\c|x) ∏_{i=1}^{L} q(z_c^i|x,y^i)",
}


@pytest.mark.parametrize("program", MODELS)
def test_models(inspected, program):
    assert factorisation(inspected(program).graph)["model"]["unicode"] == MODELS[program]


@pytest.mark.parametrize("case", GUIDES)
def test_guides(inspected, case):
    assert factorisation(inspected(*case).graph)["guide"]["unicode"] == GUIDES[case]


def test_latex(inspected):
    written = factorisation(inspected("ccvae").graph)
    assert written["model"]["latex"] == (
        r"p(x, y, z_{c}, z_{\setminus c}) = "
        r"\prod_{i=1}^{L} [p(y^{i}) \, p(z_{c}^{i} \mid y^{i})] \, "
        r"p(z_{\setminus c}) \, p(x \mid z_{c}, z_{\setminus c})"
    )
    assert written["guide"]["latex"].endswith(
        r"\prod_{i=1}^{L} q(z_{c}^{i} \mid x, y_{O}^{i}) \, "
        r"\prod_{i \in U} q(y^{i} \mid z_{c}^{i})"
    )


def test_factors_stand_in_the_order_of_the_program():
    """Those of a plate where its last one does, in brackets where a factor follows."""

    def model():
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
        pyro.factor("weight", -a)
        rows = pyro.plate("rows", 3)
        with rows:
            b = pyro.sample("b", dist.Normal(a, 1.0))
        c = pyro.sample("c", dist.Normal(b.sum(), 1.0))
        with rows:
            pyro.sample("d", dist.Normal(b + c, 1.0))
        pyro.sample("e", dist.Normal(c, 1.0))

    assert joint(inspect_pair(model).graph) == (
        "p(a,b,c,d,e) ∝ p(a) ψ(a) p(c|b) ∏_{i=1}^{N_rows} [p(b^i|a) p(d^i|b^i,c)] p(e|c)"
    )


def test_a_figure_has_the_indices_of_the_formula():
    """A box of steps takes no letter from the plates."""

    def model():
        with pyro.plate("rows", 3, dim=-2):
            z = pyro.sample("z", dist.Normal(0.0, 1.0))
            for t in pyro.markov(range(6)):
                z = pyro.sample(f"z_{t}", dist.Normal(z, 1.0))
                with pyro.plate("columns", 2, dim=-1):
                    pyro.sample(f"x_{t}", dist.Normal(z, 1.0), obs=torch.zeros(3, 2))
        with pyro.plate("others", 4):
            pyro.sample("y", dist.Normal(z.sum(), 1.0), obs=torch.zeros(4))

    graph = inspect_pair(model).graph
    written = joint(graph.folded(), LATEX)
    labels = [disc.label for disc in lay_out(graph).discs if not disc.lag]
    assert len(labels) == 4
    assert all(label in written for label in labels)


@pytest.mark.parametrize(
    ("name", "latex", "text"),
    [
        ("log p(x|y,z)", r"\log p(x \mid y, z)", "log p(x|y,z)"),
        ("-log q(y_missing|z_c)", r"-\log q(y_{U} \mid z_{c})", "−log q(y_U|z_c)"),
        ("(alpha-1) log q(y|x)", r"(\alpha-1) \log q(y \mid x)", "(α−1) log q(y|x)"),
        (
            "log sum p(z_c|y) p(y_missing)",
            r"\log \sum_{y_{U}} p(z_{c} \mid y) p(y_{U})",
            "log ∑_{y_U} p(z_c|y) p(y_U)",
        ),
        ("my own term", r"\text{my own term}", "my own term"),
    ],
)
def test_terms(name, latex, text):
    assert (write_term(name, LATEX), write_term(name, UNICODE)) == (latex, text)


def test_a_side_has_the_terms_of_its_rows_only(inspected):
    supervised = inspected("ccvae", labels="all").formula
    unsupervised = inspected("ccvae", labels="none").formula
    assert "(alpha-1) log q(y|x)" in supervised.terms
    assert "-log q(y|z_c)" not in supervised.terms
    assert "-log q(y|z_c)" in unsupervised.terms
    assert not [name for name in unsupervised.terms if "alpha" in name]
    assert supervised.write().startswith(r"E_{q(z_\c,z_c|x,y)}[ log p(x|z) + log p(z_\c)")


def test_what_lies_where_plates_cross_stands_by_itself():
    nodes = {
        "u": Node("u", "latent", ("users",)),
        "v": Node("v", "latent", ("films",)),
        "r": Node("r", "observed", ("users", "films")),
    }
    plates = {"users": Plate("users", (3,)), "films": Plate("films", (4,))}
    edges = frozenset({Edge("u", "r", "p"), Edge("v", "r", "p")})
    assert joint(Graph(nodes, edges, plates, ())) == (
        "p(r,u,v) = ∏_{i=1}^{N_users} p(u^i) ∏_{j=1}^{N_films} p(v^j) "
        "∏_{i=1}^{N_users} ∏_{j=1}^{N_films} p(r^{i,j}|u^i,v^j)"
    )
