"""Plates: nested, crossed, sequential, subsampled; and what hierarchical models do with them."""

import pyro
import pyro.distributions as dist
import torch
from pyro.infer.reparam import LocScaleReparam

from .record import case

SCHOOLS = torch.tensor([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = torch.tensor([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


@case(
    "hierarchies",
    "p(mu) p(tau) p(theta|mu,tau) p(y|theta,sigma)",
    observed="y",
    plates="schools 8: theta y",
    args=(ERRORS, SCHOOLS),
)
def eight_schools(sigma, y):
    mu = pyro.sample("mu", dist.Normal(0.0, 5.0))
    tau = pyro.sample("tau", dist.HalfCauchy(5.0))
    with pyro.plate("schools", 8):
        theta = pyro.sample("theta", dist.Normal(mu, tau))
        pyro.sample("y", dist.Normal(theta, sigma), obs=y)


@case(
    "hierarchies",
    "p(mu) p(tau) p(eta) d(theta|mu,tau,eta) p(y|theta)",
    observed="y",
    plates="schools 8: eta theta y",
)
def eight_schools_non_centred():
    mu = pyro.sample("mu", dist.Normal(0.0, 5.0))
    tau = pyro.sample("tau", dist.HalfCauchy(5.0))
    with pyro.plate("schools", 8):
        eta = pyro.sample("eta", dist.Normal(0.0, 1.0))
        theta = pyro.deterministic("theta", mu + tau * eta)
        pyro.sample("y", dist.Normal(theta, ERRORS), obs=SCHOOLS)


def _schools():
    mu = pyro.sample("mu", dist.Normal(0.0, 5.0))
    tau = pyro.sample("tau", dist.HalfCauchy(5.0))
    with pyro.plate("schools", 8):
        theta = pyro.sample("theta", dist.Normal(mu, tau))
        pyro.sample("y", dist.Normal(theta, ERRORS), obs=SCHOOLS)


case(
    "hierarchies",
    "p(mu) p(tau) p(theta_decentered) d(theta|mu,tau,theta_decentered) p(y|theta)",
    name="eight_schools_reparametrised",
    observed="y",
    plates="schools 8: theta_decentered theta y",
)(pyro.poutine.reparam(_schools, config={"theta": LocScaleReparam(0.0)}))


@case(
    "item response",
    "p(ability) p(difficulty) p(discrimination) p(answer|ability,difficulty,discrimination)",
    observed="answer",
    plates="items 3: difficulty discrimination answer; pupils 4: ability answer",
)
def two_parameter_logistic():
    pupils, items = pyro.plate("pupils", 4, dim=-1), pyro.plate("items", 3, dim=-2)
    with pupils:
        ability = pyro.sample("ability", dist.Normal(0.0, 1.0))
    with items:
        difficulty = pyro.sample("difficulty", dist.Normal(0.0, 1.0))
        discrimination = pyro.sample("discrimination", dist.LogNormal(0.0, 0.5))
    with items, pupils:
        logits = discrimination * (ability - difficulty)
        pyro.sample("answer", dist.Bernoulli(logits=logits), obs=torch.ones(3, 4))


@case(
    "capture and recapture",
    """p(phi) p(rho) p(z_0|phi) p(y_0|z_0,rho) p(z_1|z_0,phi) p(y_1|z_1,rho)
    p(z_2|z_1,phi) p(y_2|z_2,rho)""",
    observed="y_0 y_1 y_2",
    plates="animals 3: z_0 z_1 z_2 y_0 y_1 y_2",
)
def cormack_jolly_seber():
    """Only the years after an animal was first captured count: a mask that is data."""
    caught = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    phi = pyro.sample("phi", dist.Uniform(0.0, 1.0))
    rho = pyro.sample("rho", dist.Uniform(0.0, 1.0))
    with pyro.plate("animals", 3, dim=-1):
        z = torch.ones(3)
        first = caught[0].bool()
        for t in pyro.markov(range(3)):
            with pyro.poutine.mask(mask=first):
                z = pyro.sample(f"z_{t}", dist.Bernoulli(phi * z))
                pyro.sample(f"y_{t}", dist.Bernoulli(rho * z), obs=caught[t])
            first = first | caught[t].bool()


@case(
    "matrix factorisation",
    "p(u) p(v) p(rating|u,v)",
    observed="rating",
    plates="users 4: u rating; films 3: v rating",
)
def matrix_factorisation():
    users, films = pyro.plate("users", 4, dim=-2), pyro.plate("films", 3, dim=-1)
    with users:
        u = pyro.sample("u", dist.Normal(torch.zeros(2), 1.0).to_event(1))
    with films:
        v = pyro.sample("v", dist.Normal(torch.zeros(2), 1.0).to_event(1))
    with users, films:
        pyro.sample("rating", dist.Normal((u * v).sum(-1), 0.5), obs=torch.ones(4, 3))


@case(
    "plates",
    "p(a) p(b|a) p(c|b) p(d|c)",
    observed="d",
    plates="outer 4: b c d; middle 3: c d; inner 2: d",
)
def nested_three_deep():
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    with pyro.plate("outer", 4, dim=-3):
        b = pyro.sample("b", dist.Normal(a, 1.0))
        with pyro.plate("middle", 3, dim=-2):
            c = pyro.sample("c", dist.Normal(b, 1.0))
            with pyro.plate("inner", 2, dim=-1):
                pyro.sample("d", dist.Normal(c, 1.0), obs=torch.zeros(4, 3, 2))


@case(
    "plates",
    "p(a) p(b) p(c|a,b)",
    observed="c",
    plates="i 3: a c; j 2: b c",
)
def crossed():
    i, j = pyro.plate("i", 3, dim=-1), pyro.plate("j", 2, dim=-2)
    with i:
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
    with j:
        b = pyro.sample("b", dist.Normal(0.0, 1.0))
    with i, j:
        pyro.sample("c", dist.Normal(a + b, 1.0), obs=torch.zeros(2, 3))


@case(
    "plates",
    "p(a) p(b) p(c) p(ab|a,b) p(bc|b,c) p(abc|ab,bc)",
    observed="abc",
    plates="i 4: a ab abc; j 3: b ab bc abc; k 2: c bc abc",
)
def three_crossed():
    i, j, k = (pyro.plate(n, s, dim=-d) for n, s, d in (("i", 4, 1), ("j", 3, 2), ("k", 2, 3)))
    with i:
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
    with j:
        b = pyro.sample("b", dist.Normal(0.0, 1.0))
    with k:
        c = pyro.sample("c", dist.Normal(0.0, 1.0))
    with i, j:
        ab = pyro.sample("ab", dist.Normal(a + b, 1.0))
    with j, k:
        bc = pyro.sample("bc", dist.Normal(b + c, 1.0))
    with i, j, k:
        pyro.sample("abc", dist.Normal(ab + bc, 1.0), obs=torch.zeros(2, 3, 4))


@case(
    "plates",
    "p(loc) p(z|loc) p(x|z)",
    observed="x",
    plates="data 100: z x",
    args=(torch.linspace(0, 1, 100),),
)
def subsampled(data):
    """A minibatch: which rows it holds is no variable of the model."""
    loc = pyro.sample("loc", dist.Normal(0.0, 1.0))
    with pyro.plate("data", 100, subsample_size=5) as rows:
        z = pyro.sample("z", dist.Normal(loc, 1.0))
        pyro.sample("x", dist.Normal(z, 1.0), obs=data[rows])


@case(
    "plates",
    "p(p) p(coin_0|p) p(coin_1|p) p(coin_2|p)",
    observed="coin_0 coin_1 coin_2",
    loops="tosses",
)
def sequential_plate():
    p = pyro.sample("p", dist.Beta(1.0, 1.0))
    for toss in pyro.plate("tosses", 3):
        pyro.sample(f"coin_{toss}", dist.Bernoulli(p), obs=torch.tensor(1.0))


@case(
    "plates",
    """p(top) p(mean_0|top) p(x_0|mean_0) p(mean_1|top) p(x_1|mean_1)""",
    observed="x_0 x_1",
    plates="row_0 3: x_0; row_1 2: x_1",
    loops="groups",
)
def ragged():
    """Groups of different sizes: a loop over groups, a plate of its own in each."""
    top = pyro.sample("top", dist.Normal(0.0, 1.0))
    for g, size in zip(pyro.plate("groups", 2), (3, 2), strict=True):
        mean = pyro.sample(f"mean_{g}", dist.Normal(top, 1.0))
        with pyro.plate(f"row_{g}", size):
            pyro.sample(f"x_{g}", dist.Normal(mean, 1.0), obs=torch.zeros(size))


@case(
    "hierarchies",
    "p(m) p(kappa) p(phi|m,kappa) p(hits|phi)",
    observed="hits",
    plates="players 4: phi hits",
)
def baseball():
    m = pyro.sample("m", dist.Uniform(0.0, 1.0))
    kappa = pyro.sample("kappa", dist.Pareto(1.0, 1.5))
    with pyro.plate("players", 4):
        phi = pyro.sample("phi", dist.Beta(m * kappa, (1 - m) * kappa))
        at_bats = torch.tensor([45.0, 45.0, 40.0, 44.0])
        pyro.sample("hits", dist.Binomial(at_bats, phi), obs=torch.tensor([18.0, 17.0, 9.0, 12.0]))


@case(
    "hierarchies",
    """p(mu_a) p(sigma_a) p(a|mu_a,sigma_a) p(b) p(sigma_y) p(log_radon|a,b,sigma_y)""",
    observed="log_radon",
    plates="counties 3: a; houses 6: log_radon",
)
def radon():
    """Houses belong to counties by a table of indices, not by a nested plate."""
    mu_a = pyro.sample("mu_a", dist.Normal(0.0, 10.0))
    sigma_a = pyro.sample("sigma_a", dist.HalfCauchy(5.0))
    with pyro.plate("counties", 3):
        a = pyro.sample("a", dist.Normal(mu_a, sigma_a))
    b = pyro.sample("b", dist.Normal(0.0, 10.0))
    sigma_y = pyro.sample("sigma_y", dist.HalfCauchy(5.0))
    county = torch.tensor([0, 0, 1, 1, 2, 2])
    floor = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    with pyro.plate("houses", 6):
        mean = a[county] + b * floor
        pyro.sample("log_radon", dist.Normal(mean, sigma_y), obs=torch.zeros(6))


@case(
    "hierarchies",
    "p(scale) p(correlation) p(effects|scale,correlation) p(y|effects)",
    observed="y",
    plates="groups 3: effects y",
)
def correlated_effects():
    scale = pyro.sample("scale", dist.HalfCauchy(torch.ones(2)).to_event(1))
    correlation = pyro.sample("correlation", dist.LKJCholesky(2, 1.0))
    cholesky = scale.diag() @ correlation
    with pyro.plate("groups", 3):
        normal = dist.MultivariateNormal(torch.zeros(2), scale_tril=cholesky)
        effects = pyro.sample("effects", normal)
        pyro.sample("y", dist.Normal(effects, 1.0).to_event(1), obs=torch.zeros(3, 2))


@case(
    "hierarchies",
    "p(mu) p(score_a) p(score_b) p(wins|score_a,score_b)",
    observed="wins",
)
def better_player():
    """Bradley and Terry's comparison; mu is drawn and used by nobody."""
    pyro.sample("mu", dist.Normal(0.0, 1.0))
    a = pyro.sample("score_a", dist.Normal(0.0, 1.0))
    b = pyro.sample("score_b", dist.Normal(0.0, 1.0))
    pyro.sample("wins", dist.Bernoulli(logits=a - b), obs=torch.tensor(1.0))
