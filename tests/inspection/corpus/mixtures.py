"""Mixtures and topics: finite, collapsed, without end, of experts, of words."""

import pyro
import pyro.distributions as dist
import torch
from pyro.ops.indexing import Vindex

from .record import case

POINTS = torch.tensor([-2.0, 0.1, 1.9, 2.2, -1.8, 0.0])
WORDS = torch.tensor([[0, 1, 2], [3, 2, 1], [0, 0, 3], [1, 1, 2]])


@case(
    "mixtures",
    "p(loc) p(weights) p(k|weights) p(obs|loc,k)",
    observed="obs",
    plates="components 3: loc; points 6: k obs",
    args=(POINTS,),
)
def gaussian_mixture(data):
    with pyro.plate("components", 3):
        loc = pyro.sample("loc", dist.Normal(0.0, 5.0))
    weights = pyro.sample("weights", dist.Dirichlet(torch.ones(3)))
    with pyro.plate("points", len(data)):
        k = pyro.sample("k", dist.Categorical(weights), infer={"enumerate": "parallel"})
        pyro.sample("obs", dist.Normal(loc[k], 1.0), obs=data)


@case(
    "mixtures",
    "p(locs) p(scales) p(weights) p(x|locs,scales,weights)",
    observed="x",
    plates="points 6: x",
)
def collapsed_mixture():
    locs = pyro.sample("locs", dist.Normal(torch.zeros(3), 5.0).to_event(1))
    scales = pyro.sample("scales", dist.LogNormal(torch.zeros(3), 1.0).to_event(1))
    weights = pyro.sample("weights", dist.Dirichlet(torch.ones(3)))
    mixed = dist.MixtureSameFamily(dist.Categorical(weights), dist.Normal(locs, scales))
    with pyro.plate("points", 6):
        pyro.sample("x", mixed, obs=POINTS)


@case(
    "mixtures",
    "p(concentration) p(beta|concentration) p(mu) p(z|beta) p(x|mu,z)",
    observed="x",
    plates="sticks 4: beta; atoms 5: mu; points 6: z x",
)
def stick_breaking():
    concentration = pyro.sample("concentration", dist.Gamma(1.0, 1.0))
    with pyro.plate("sticks", 4):
        beta = pyro.sample("beta", dist.Beta(1.0, concentration))
    with pyro.plate("atoms", 5):
        mu = pyro.sample("mu", dist.MultivariateNormal(torch.zeros(2), 5 * torch.eye(2)))
    left = torch.cat([torch.ones(1), (1 - beta).cumprod(-1)])
    weights = torch.cat([beta, torch.ones(1)]) * left
    with pyro.plate("points", 6):
        z = pyro.sample("z", dist.Categorical(weights))
        x = dist.MultivariateNormal(mu[z], torch.eye(2))
        pyro.sample("x", x, obs=torch.stack([POINTS, POINTS], -1))


@case(
    "topics",
    "p(topic_words) p(share) p(topic|share) p(word|topic_words,topic)",
    observed="word",
    plates="topics 2: topic_words; documents 3: share topic word; words 4: topic word",
    args=(WORDS,),
)
def latent_dirichlet(words):
    with pyro.plate("topics", 2):
        topic_words = pyro.sample("topic_words", dist.Dirichlet(torch.ones(4)))
    with pyro.plate("documents", words.shape[1], dim=-1):
        share = pyro.sample("share", dist.Dirichlet(torch.ones(2)))
        with pyro.plate("words", words.shape[0], dim=-2):
            topic = pyro.sample("topic", dist.Categorical(share))
            pyro.sample("word", dist.Categorical(topic_words[topic]), obs=words)


@case(
    "topics",
    "p(theta) p(counts|theta)",
    observed="counts",
    plates="documents 3: theta counts",
)
def product_of_experts():
    decoder = torch.linspace(-1.0, 1.0, 8).reshape(2, 4)
    counts = torch.tensor([[2.0, 1.0, 0.0, 1.0], [0.0, 0.0, 3.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    with pyro.plate("documents", 3):
        theta = pyro.sample("theta", dist.Normal(torch.zeros(2), 1.0).to_event(1))
        mixture = (theta.softmax(-1) @ decoder).softmax(-1)
        pyro.sample("counts", dist.Multinomial(probs=mixture, validate_args=False), obs=counts)


@case(
    "mixtures",
    "p(gate) p(slopes) p(expert|gate) p(y|slopes,expert)",
    observed="y",
    plates="experts 2: slopes; data 6: expert y",
)
def mixture_of_experts():
    gate = pyro.sample("gate", dist.Normal(torch.zeros(2), 1.0).to_event(1))
    with pyro.plate("experts", 2):
        slopes = pyro.sample("slopes", dist.Normal(0.0, 1.0))
    with pyro.plate("data", 6):
        expert = pyro.sample("expert", dist.Categorical(logits=POINTS[:, None] * gate))
        pyro.sample("y", dist.Normal(slopes[expert] * POINTS, 1.0), obs=POINTS)


@case(
    "mixtures",
    "p(scale) p(k) p(m) p(x|scale,k,m)",
    observed="x",
    plates="rows 2: scale; columns 3: scale; points 6: k m x",
)
def table_by_vindex():
    rows, columns = pyro.plate("rows", 2, dim=-2), pyro.plate("columns", 3, dim=-1)
    with rows, columns:
        scale = pyro.sample("scale", dist.LogNormal(0.0, 1.0))
    with pyro.plate("points", 6):
        k = pyro.sample("k", dist.Bernoulli(0.5)).long()
        m = pyro.sample("m", dist.Categorical(torch.ones(3)))
        pyro.sample("x", dist.Normal(0.0, Vindex(scale)[..., k, m]), obs=POINTS)


@case(
    "mixtures",
    "p(outlier_rate) p(centre) p(is_outlier|outlier_rate) p(x|centre,is_outlier)",
    observed="x",
    plates="data 6: is_outlier x",
)
def outliers():
    rate = pyro.sample("outlier_rate", dist.Beta(1.0, 9.0))
    centre = pyro.sample("centre", dist.Normal(0.0, 1.0))
    with pyro.plate("data", 6):
        is_outlier = pyro.sample("is_outlier", dist.Bernoulli(rate)).bool()
        scale = torch.where(is_outlier, 10.0, 1.0)
        pyro.sample("x", dist.Normal(centre, scale), obs=POINTS)


@case(
    "mixtures",
    "p(p_annotator) p(truth) p(vote|p_annotator,truth)",
    observed="vote",
    plates="annotators 2: p_annotator vote; items 4: truth vote",
)
def dawid_skene():
    annotators, items = pyro.plate("annotators", 2, dim=-1), pyro.plate("items", 4, dim=-2)
    with annotators:
        confusion = pyro.sample("p_annotator", dist.Dirichlet(torch.ones(3, 3)).to_event(1))
    with items:
        truth = pyro.sample("truth", dist.Categorical(torch.ones(3) / 3))
    with items, annotators:
        pyro.sample(
            "vote",
            dist.Categorical(Vindex(confusion)[..., truth, :]),
            obs=torch.zeros(4, 2, dtype=torch.long),
        )
