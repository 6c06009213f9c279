"""Bayesian networks of discrete variables, and programs that leave torch on the way."""

import math

import numpy as np
import pyro
import pyro.distributions as dist
import torch

from .record import case


@case(
    "Bayesian networks",
    "p(rain) p(sprinkler|rain) p(wet|rain,sprinkler)",
    observed="wet",
)
def sprinkler():
    rain = pyro.sample("rain", dist.Bernoulli(0.2)).long()
    on = pyro.sample("sprinkler", dist.Bernoulli(torch.tensor([0.4, 0.01])[rain])).long()
    wet = torch.tensor([[0.01, 0.9], [0.8, 0.99]])
    pyro.sample("wet", dist.Bernoulli(wet[rain, on]), obs=torch.tensor(1.0))


@case(
    "Bayesian networks",
    """p(burglary) p(earthquake) p(alarm|burglary,earthquake) p(john|alarm) p(mary|alarm)""",
    observed="john mary",
)
def alarm():
    burglary = pyro.sample("burglary", dist.Bernoulli(0.001))
    earthquake = pyro.sample("earthquake", dist.Bernoulli(0.002))
    rings = 1 - (1 - 0.9 * burglary) * (1 - 0.3 * earthquake) * 0.99
    alarm = pyro.sample("alarm", dist.Bernoulli(rings))
    pyro.sample("john", dist.Bernoulli(0.05 + 0.85 * alarm), obs=torch.tensor(1.0))
    pyro.sample("mary", dist.Bernoulli(0.01 + 0.69 * alarm), obs=torch.tensor(1.0))


@case(
    "Bayesian networks",
    """p(asia) p(smoke) p(tub|asia) p(lung|smoke) p(bronc|smoke) d(either|tub,lung)
    p(xray|either) p(dysp|either,bronc)""",
    observed="xray dysp",
)
def chest_clinic():
    asia = pyro.sample("asia", dist.Bernoulli(0.01))
    smoke = pyro.sample("smoke", dist.Bernoulli(0.5))
    tub = pyro.sample("tub", dist.Bernoulli(0.01 + 0.04 * asia))
    lung = pyro.sample("lung", dist.Bernoulli(0.01 + 0.09 * smoke))
    bronc = pyro.sample("bronc", dist.Bernoulli(0.3 + 0.3 * smoke))
    either = pyro.deterministic("either", torch.maximum(tub, lung))
    pyro.sample("xray", dist.Bernoulli(0.05 + 0.93 * either), obs=torch.tensor(1.0))
    trouble = torch.tensor([[0.1, 0.8], [0.7, 0.9]])[either.long(), bronc.long()]
    pyro.sample("dysp", dist.Bernoulli(trouble), obs=torch.tensor(1.0))


@case(
    "Bayesian networks",
    "p(difficulty) p(intelligence) p(grade|difficulty,intelligence) p(sat|intelligence) "
    "p(letter|grade)",
    observed="letter",
)
def student():
    difficulty = pyro.sample("difficulty", dist.Bernoulli(0.4)).long()
    intelligence = pyro.sample("intelligence", dist.Bernoulli(0.3)).long()
    grades = torch.tensor(
        [[[0.3, 0.4, 0.3], [0.9, 0.08, 0.02]], [[0.05, 0.25, 0.7], [0.5, 0.3, 0.2]]]
    )
    grade = pyro.sample("grade", dist.Categorical(grades[difficulty, intelligence]))
    pyro.sample("sat", dist.Bernoulli(torch.tensor([0.05, 0.8])[intelligence]))
    good = torch.tensor([0.9, 0.6, 0.01])[grade]
    pyro.sample("letter", dist.Bernoulli(good), obs=torch.tensor(0.0))


@case(
    "Bayesian networks",
    "p(theta) p(spam|theta) p(words) p(seen|spam,words)",
    observed="seen",
    plates="classes 2: words; mails 3: spam seen",
)
def naive_bayes():
    theta = pyro.sample("theta", dist.Beta(1.0, 1.0))
    with pyro.plate("classes", 2):
        words = pyro.sample("words", dist.Beta(torch.ones(4), 1.0).to_event(1))
    with pyro.plate("mails", 3):
        spam = pyro.sample("spam", dist.Bernoulli(theta)).long()
        pyro.sample("seen", dist.Bernoulli(words[spam]).to_event(1), obs=torch.ones(3, 4))


@case("leaving torch", "p(k) p(a|k) p(b|k)")
def lookups():
    """One entry by a tensor, one by a Python number."""
    means = torch.tensor([-3.0, 0.0, 3.0])
    k = pyro.sample("k", dist.Categorical(torch.ones(3) / 3))
    pyro.sample("a", dist.Normal(means[k], 1.0))
    pyro.sample("b", dist.Normal(means[int(k)], 1.0))


@case("leaving torch", "p(rain) p(umbrella|rain) p(mood)", observed="umbrella")
def branch():
    rain = pyro.sample("rain", dist.Bernoulli(0.3))
    if rain:
        pyro.sample("umbrella", dist.Bernoulli(0.9), obs=torch.tensor(1.0))
    else:
        pyro.sample("umbrella", dist.Bernoulli(0.1), obs=torch.tensor(1.0))
    pyro.sample("mood", dist.Normal(0.0, 1.0))


@case("leaving torch", "p(friction) p(seen|friction)", observed="seen")
def simulator():
    friction = pyro.sample("friction", dist.Uniform(0.0, 1.0))
    time = sum(0.1 for step in range(100) if step * 0.1 < 2 / (0.1 + friction.item()))
    pyro.sample("seen", dist.Normal(time, 0.5), obs=torch.tensor(3.0))


@case("leaving torch", "p(angle) p(speed) p(distance|angle,speed)", observed="distance")
def cannon():
    angle = pyro.sample("angle", dist.Uniform(0.1, 1.4))
    speed = pyro.sample("speed", dist.Gamma(9.0, 1.0))
    reach = math.sin(2 * float(angle)) * speed**2 / 9.81
    pyro.sample("distance", dist.Normal(reach, 0.5), obs=torch.tensor(6.0))


@case("leaving torch", "p(w) p(b) p(y|w,b)", observed="y", plates="data 4: y")
def through_numpy():
    w = pyro.sample("w", dist.Normal(0.0, 1.0).expand([3]).to_event(1))
    b = pyro.sample("b", dist.Normal(0.0, 1.0))
    design = np.linspace(0, 1, 12).reshape(4, 3)
    mean = torch.as_tensor(design @ w.numpy().astype(float)).float()
    with pyro.plate("data", 4):
        pyro.sample("y", dist.Normal(mean + b, 1.0), obs=torch.zeros(4))


@case("leaving torch", "p(n) p(total|n)", observed="total")
def drawn_length():
    """A drawn number of dice, whose sum is seen."""
    n = pyro.sample("n", dist.Categorical(torch.ones(5)))
    mean = 0.0
    for _ in range(int(n)):
        mean = mean + 3.5
    pyro.sample("total", dist.Normal(mean, 1.0), obs=torch.tensor(7.0))


@case("leaving torch", "p(z) p(keep) p(y|z,keep)", observed="y")
def boolean_index():
    z = pyro.sample("z", dist.Normal(0.0, 1.0).expand([4]).to_event(1))
    keep = pyro.sample("keep", dist.Bernoulli(0.5).expand([4]).to_event(1)).bool()
    pyro.sample("y", dist.Normal(z[keep].sum(), 1.0), obs=torch.tensor(0.3))


@case("leaving torch", "p(edge) p(weight) p(y|edge,weight)", observed="y")
def sparse_matrix():
    edge = pyro.sample("edge", dist.Categorical(torch.ones(3)))
    weight = pyro.sample("weight", dist.Gamma(2.0, 1.0))
    where = torch.stack([edge, torch.tensor(1)])[:, None]
    matrix = torch.sparse_coo_tensor(where, weight[None], (3, 3), check_invariants=False)
    mean = (matrix @ torch.ones(3, 1)).squeeze(-1)
    pyro.sample("y", dist.Normal(mean, 1.0).to_event(1), obs=torch.zeros(3))


@case("leaving torch", "p(p) p(order|p) p(y|order)", observed="y")
def sorted_by_draws():
    p = pyro.sample("p", dist.Dirichlet(torch.ones(3)))
    order = pyro.sample("order", dist.Multinomial(10, p))
    first = int(order.argmax())
    pyro.sample("y", dist.Normal(float(first), 1.0), obs=torch.tensor(1.0))


@case("leaving torch", "p(causes) p(effect|causes)", observed="effect", plates="diseases 3: causes")
def noisy_or():
    with pyro.plate("diseases", 3):
        causes = pyro.sample("causes", dist.Bernoulli(0.1))
    healthy = 0.99
    for cause in causes.tolist():
        healthy *= 0.3**cause
    pyro.sample("effect", dist.Bernoulli(1 - healthy), obs=torch.tensor(1.0))


@case("leaving torch", "p(choice) p(left) p(right) p(y|choice,left,right)", observed="y")
def chosen_by_if():
    """Both branches draw nothing; which value is used is chosen in Python."""
    choice = pyro.sample("choice", dist.Bernoulli(0.5))
    left = pyro.sample("left", dist.Normal(-1.0, 1.0))
    right = pyro.sample("right", dist.Normal(1.0, 1.0))
    pyro.sample("y", dist.Normal(left if choice else right, 1.0), obs=torch.tensor(0.3))


@case("Bayesian networks", "p(x) p(y|x) p(z|y)", observed="z", plates="i 3: x; j 2: z")
def collider():
    with pyro.plate("i", 3):
        x = pyro.sample("x", dist.Normal(0.0, 1.0))
    y = pyro.sample("y", dist.Normal(x.sum(), 1.0))
    with pyro.plate("j", 2):
        pyro.sample("z", dist.Normal(y, 1.0), obs=torch.zeros(2))
