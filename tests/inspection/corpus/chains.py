"""Time: hidden Markov models and their relatives, one site a step."""

import pyro
import pyro.distributions as dist
import torch

from .record import case

DATA = torch.tensor([0.3, -0.2, 0.9, 0.5])
TRANSITION = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
MEANS = torch.tensor([-1.0, 1.0])


def over(steps, text):
    """The text once a step, with ``@`` for the step and ``<`` for the step before."""
    return " ".join(text.replace("@", str(t)).replace("<", str(t - 1)) for t in steps)


@case(
    "hidden Markov",
    "p(x_0) p(y_0|x_0)" + over(range(1, 4), " p(x_@|x_<) p(y_@|x_@)"),
    observed="y_0 y_1 y_2 y_3",
)
def hidden_markov():
    state = torch.tensor(0)
    for t in pyro.markov(range(4)):
        probs = torch.tensor([0.5, 0.5]) if t == 0 else TRANSITION[state]
        state = pyro.sample(f"x_{t}", dist.Categorical(probs), infer={"enumerate": "parallel"})
        pyro.sample(f"y_{t}", dist.Normal(MEANS[state], 1.0), obs=DATA[t])


@case(
    "hidden Markov",
    "p(probs_x) p(loc) p(x_0) p(y_0|x_0,loc)"
    + over(range(1, 3), " p(x_@|x_<,probs_x) p(y_@|x_@,loc)"),
    observed="y_0 y_1 y_2",
    plates="states 2: loc; sequences 3: x_0 x_1 x_2 y_0 y_1 y_2",
)
def many_sequences():
    """A plate of sequences around the time; the tables of the states outside of it."""
    probs_x = pyro.sample("probs_x", dist.Dirichlet(torch.eye(2) + 0.5).to_event(1))
    with pyro.plate("states", 2):
        loc = pyro.sample("loc", dist.Normal(0.0, 3.0))
    with pyro.plate("sequences", 3, dim=-1):
        x = torch.zeros(3, dtype=torch.long)
        for t in pyro.markov(range(3)):
            probs = torch.ones(2) / 2 if t == 0 else probs_x[x]
            x = pyro.sample(f"x_{t}", dist.Categorical(probs), infer={"enumerate": "parallel"})
            pyro.sample(f"y_{t}", dist.Normal(loc[x], 1.0), obs=DATA[:3])


@case(
    "hidden Markov",
    "p(w_0) p(x_0) p(y_0|w_0,x_0)" + over(range(1, 3), " p(w_@|w_<) p(x_@|x_<) p(y_@|w_@,x_@)"),
    observed="y_0 y_1 y_2",
    plates="tones 4: y_0 y_1 y_2",
)
def factorial():
    """Two chains beside each other, whose sum is seen (Ghahramani and Jordan 1997)."""
    w = x = torch.tensor([0])
    tones = pyro.plate("tones", 4, dim=-1)
    for t in pyro.markov(range(3)):
        w = pyro.sample(f"w_{t}", dist.Bernoulli(TRANSITION[w, 1] if t else torch.tensor([0.5])))
        x = pyro.sample(f"x_{t}", dist.Bernoulli(TRANSITION[x, 1] if t else torch.tensor([0.5])))
        w, x = w.long(), x.long()
        with tones:
            pyro.sample(f"y_{t}", dist.Normal(MEANS[w] + 2 * MEANS[x], 1.0), obs=DATA)


@case(
    "hidden Markov",
    "p(x_0) p(y_0|x_0) p(x_1|x_0) p(y_1|x_1)"
    + over([2], " p(x_2|x_1,x_0) p(y_2|x_2)")
    + over([3], " p(x_3|x_2,x_1) p(y_3|x_3)"),
    observed="y_0 y_1 y_2 y_3",
)
def second_order():
    before, last = torch.tensor([0]), torch.tensor([0])
    table = torch.tensor([[[0.9, 0.1], [0.5, 0.5]], [[0.4, 0.6], [0.1, 0.9]]])
    for t in pyro.markov(range(4), history=2):
        if t == 0:
            probs = torch.tensor([[0.5, 0.5]])
        elif t == 1:
            probs = TRANSITION[last]
        else:
            probs = table[before, last]
        before, last = last, pyro.sample(f"x_{t}", dist.Categorical(probs))
        pyro.sample(f"y_{t}", dist.Normal(MEANS[last], 1.0), obs=DATA[t])


@case(
    "hidden Markov",
    "p(x_0) p(y_0|x_0)" + over(range(1, 4), " p(x_@|x_<) p(y_@|x_@,y_<)"),
    observed="y_0 y_1 y_2 y_3",
)
def autoregressive_emission():
    """What is seen depends on what was seen: an arrow from y to y."""
    x, y = torch.tensor(0.0), torch.tensor(0.0)
    for t in pyro.markov(range(4)):
        x = pyro.sample(f"x_{t}", dist.Normal(0.9 * x, 1.0))
        y = pyro.sample(f"y_{t}", dist.Normal(x + 0.5 * y, 1.0), obs=DATA[t])


@case(
    "hidden Markov",
    """p(rate) p(c_0|rate) p(x_0) p(y_0|x_0) p(c_1|c_0,rate) p(x_1|c_0,x_0) p(y_1|x_1)
    p(c_2|c_1,rate) p(x_2|c_1,x_1) p(y_2|x_2)""",
    observed="y_0 y_1 y_2",
)
def semi_markov():
    """A counter c holds how long a state still lasts: it is drawn anew where it has run out."""
    rate = pyro.sample("rate", dist.Gamma(3.0, 1.0))
    left, x = None, torch.tensor(0)
    for t in range(3):
        fresh = (
            dist.Poisson(rate) if left is None else dist.Poisson(torch.where(left < 1, rate, left))
        )
        probs = torch.ones(2) / 2
        if left is not None:
            stays = torch.nn.functional.one_hot(x, 2) * 0.98 + 0.01
            probs = torch.where(left < 1, TRANSITION[x], stays)
        left = pyro.sample(f"c_{t}", fresh)
        x = pyro.sample(f"x_{t}", dist.Categorical(probs))
        pyro.sample(f"y_{t}", dist.Normal(MEANS[x], 1.0), obs=DATA[t])
