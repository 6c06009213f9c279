"""Inspection of programs that are not the suite's: users', and those that come with Pyro."""

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.contrib.cevae import CEVAE
from pyro.contrib.gp.kernels import RBF
from pyro.contrib.gp.models import GPRegression, SparseGPRegression
from pyro.infer.autoguide import AutoDiagonalNormal, AutoNormal

from ccvae.inspection import Edge, guide_density, inspect_pair, joint
from ccvae.inspection.drawing.figure import save_graph


def regression(covariates, y):
    weights = pyro.sample("weights", dist.Normal(torch.zeros(2), 1.0).to_event(1))
    sigma = pyro.sample("sigma", dist.LogNormal(0.0, 1.0))
    with pyro.plate("rows", len(covariates)):
        pyro.sample("y", dist.Normal(covariates @ weights, sigma), obs=y)


def mean_field(covariates, y):
    loc = pyro.param("loc", torch.zeros(2))
    pyro.sample("weights", dist.Normal(loc, 1.0).to_event(1))
    pyro.sample("sigma", dist.LogNormal(pyro.param("log_sigma", torch.tensor(0.0)), 0.1))


def test_regression():
    """Covariates are an input, parameters of the guide are named, and the store is left alone."""
    arguments = torch.randn(5, 2), torch.randn(5)
    found = inspect_pair(regression, mean_field, *arguments)
    assert found.graph.edges == {
        Edge("weights", "y", "p"),
        Edge("sigma", "y", "p"),
        Edge("covariates", "y", "p"),
    }
    assert found.graph.nodes["covariates"].role == "input"
    assert found.guide.sites["weights"].networks == ("loc",)
    assert joint(found.graph) == (
        r"p(y,weights,σ|covariates) = p(weights) p(σ) ∏_{i=1}^{N_rows} p(y^i|weights,σ,covariates)"
    )
    assert guide_density(found.graph) == "q(weights,σ) = q(weights) q(σ)"
    assert not list(pyro.get_param_store().keys())


def mixture(data):
    with pyro.plate("components", 3):
        loc = pyro.sample("loc", dist.Normal(0.0, 5.0))
    weights = pyro.sample("weights", dist.Dirichlet(torch.ones(3)))
    with pyro.plate("points", len(data)):
        k = pyro.sample("k", dist.Categorical(weights), infer={"enumerate": "parallel"})
        pyro.sample("obs", dist.Normal(loc[k], 1.0), obs=data)


def markov(data):
    state, transition = torch.zeros(1).long(), torch.tensor([[0.9, 0.1], [0.1, 0.9]])
    for t in pyro.markov(range(len(data))):
        state = pyro.sample(f"state_{t}", dist.Categorical(transition[state]))
        pyro.sample(f"obs_{t}", dist.Normal(state.float(), 1.0), obs=data[t])


def topics(words):
    with pyro.plate("topics", 2):
        topic_words = pyro.sample("topic_words", dist.Dirichlet(torch.ones(6)))
    with pyro.plate("documents", words.shape[1], dim=-1):
        share = pyro.sample("share", dist.Dirichlet(torch.ones(2)))
        with pyro.plate("words", words.shape[0], dim=-2):
            topic = pyro.sample("topic", dist.Categorical(share))
            pyro.sample("word", dist.Categorical(topic_words[topic]), obs=words)


def nothing(*_):
    pass


def by_hand(x, y):
    """Writes into a tensor, and goes through vmap, where Pyro's own tool loses track."""
    with pyro.plate("data", 4):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        loc = torch.zeros(4)
        loc[:2] = z[:2]
        loc[2:] = torch.vmap(torch.sin)(z[2:])
        pyro.sample("x", dist.Normal(loc, 1.0), obs=x)


PROGRAMS = {
    "mixture": (mixture, nothing, (torch.randn(6),)),
    "markov": (markov, nothing, (torch.randn(3),)),
    "topics": (topics, nothing, (torch.randint(0, 6, (5, 3)),)),
    "by hand": (by_hand, nothing, (torch.randn(4), None)),
    "autonormal": (regression, AutoNormal(regression), (torch.randn(5, 2), torch.randn(5))),
    "autodiagonal": (
        regression,
        AutoDiagonalNormal(regression),
        (torch.randn(5, 2), torch.randn(5)),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_any_pair_is_drawn_and_written(name, tmp_path):
    model, guide, arguments = PROGRAMS[name]
    found = inspect_pair(model, guide, *arguments, name=name)
    assert found.to_text()
    assert found.to_json()["graph"]["nodes"]
    save_graph(found.graph, tmp_path / "figure.png")


def test_dependencies_that_other_tools_lose():
    found = inspect_pair(by_hand, nothing, torch.randn(4), None)
    assert found.graph.edges == {Edge("z", "x", "p")}


def test_a_chain():
    found = inspect_pair(markov, nothing, torch.randn(2))
    assert {(e.parent, e.child) for e in found.graph.edges} == {
        ("state_0", "state_1"),
        ("state_0", "obs_0"),
        ("state_1", "obs_1"),
    }


def test_what_is_read_as_a_number_is_said():
    """There nothing can follow it: a 0-dimensional index is read by torch itself."""

    def switch(data):
        k = pyro.sample("k", dist.Categorical(torch.ones(2)))
        pyro.sample("x", dist.Normal(torch.tensor([0.0, 1.0])[k], 1.0), obs=data)

    found = inspect_pair(switch, nothing, torch.tensor(0.5))
    assert found.model.read == ("k",)
    assert "Read as Python numbers: k" in found.to_text()


def test_nested_plates():
    found = inspect_pair(topics, nothing, torch.randint(0, 6, (5, 3)))
    assert joint(found.graph) == (
        "p(word,topic,topic_words,share) = ∏_{i=1}^{N_topics} p(topic_words^i) "
        "∏_{j=1}^{N_documents} [p(share^j) "
        "∏_{k=1}^{N_words} p(topic^{j,k}|share^j) p(word^{j,k}|topic_words,topic^{j,k})]"
    )


def test_many_sites_are_laid_out_at_all(tmp_path):
    def wide(x):
        total = sum(pyro.sample(f"w_{i}", dist.Normal(0.0, 1.0)) for i in range(14))
        pyro.sample("x", dist.Normal(total, 1.0), obs=x)

    found = inspect_pair(wide, nothing, torch.tensor(0.5))
    save_graph(found.graph, tmp_path / "wide.png")
    assert len(found.graph.edges) == 14


def test_cevae(tmp_path):
    """Pyro's causal-effect VAE (Louizos et al. 2017): five sites, two networks."""
    cevae = CEVAE(feature_dim=3)
    x = torch.randn(6, 3)
    t, y = torch.ones(6).bernoulli(), torch.ones(6).bernoulli()
    found = inspect_pair(cevae.model, cevae.guide, x, t, y, size=12)
    arrows = {(e.parent, e.child) for e in found.graph.edges if e.side == "p"}
    assert {("z", "x"), ("z", "t"), ("z", "y"), ("t", "y")} <= arrows
    assert ("x", "z") in {(e.parent, e.child) for e in found.graph.edges if e.side == "q"}
    save_graph(found.graph, tmp_path / "cevae.png")


@pytest.mark.parametrize("sparse", [False, True])
def test_gaussian_processes(sparse):
    x, y = torch.linspace(0, 1, 6), torch.randn(6)
    kernel = RBF(input_dim=1)
    gp = (
        SparseGPRegression(x, y, kernel, Xu=torch.linspace(0, 1, 3), approx="VFE")
        if sparse
        else GPRegression(x, y, kernel)
    )
    found = inspect_pair(gp.model, gp.guide)
    assert found.graph.nodes["y"].role == "observed"
