"""Regression of every kind: linear, generalised, robust, ordinal, by networks, by processes."""

import pyro
import pyro.distributions as dist
import torch
from pyro.contrib.gp.kernels import RBF
from pyro.contrib.gp.models import GPRegression
from pyro.nn import PyroModule, PyroSample
from torch import nn

from .record import case

X = torch.linspace(-1.0, 1.0, 10).reshape(5, 2)
Y = torch.tensor([0.3, -0.1, 0.8, 1.1, -0.6])
BINARY = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0])
COUNTS = torch.tensor([0.0, 3.0, 1.0, 0.0, 7.0])


@case(
    "regression",
    "p(weights) p(bias) p(sigma) p(y|weights,bias,sigma,covariates)",
    observed="y",
    plates="rows 5: y",
    args=(X, Y),
)
def linear(covariates, y):
    weights = pyro.sample("weights", dist.Normal(torch.zeros(2), 1.0).to_event(1))
    bias = pyro.sample("bias", dist.Normal(0.0, 10.0))
    sigma = pyro.sample("sigma", dist.HalfCauchy(1.0))
    with pyro.plate("rows", len(y)):
        pyro.sample("y", dist.Normal(covariates @ weights + bias, sigma), obs=y)


@case("regression", "p(beta) p(label|beta)", observed="label", plates="people 5: label")
def logistic():
    beta = pyro.sample("beta", dist.Normal(0.0, 1.0).expand([2]).to_event(1))
    with pyro.plate("people", 5):
        pyro.sample("label", dist.Bernoulli(logits=X @ beta), obs=BINARY)


@case(
    "regression",
    "p(rate) p(counts|rate,exposure)",
    observed="counts",
    plates="sites 5: counts",
    kwargs={"exposure": torch.ones(5), "counts": COUNTS},
)
def poisson(*, counts, exposure):
    rate = pyro.sample("rate", dist.Gamma(2.0, 1.0))
    with pyro.plate("sites", len(counts)):
        pyro.sample("counts", dist.Poisson(rate * exposure), obs=counts)


@case(
    "regression",
    "p(slope) p(nu) p(scale) p(y|slope,nu,scale)",
    observed="y",
    plates="data 5: y",
)
def robust():
    slope = pyro.sample("slope", dist.Normal(0.0, 1.0))
    nu = pyro.sample("nu", dist.Gamma(2.0, 0.1))
    scale = pyro.sample("scale", dist.HalfNormal(1.0))
    with pyro.plate("data", 5):
        pyro.sample("y", dist.StudentT(nu + 1.0, slope * X[:, 0], scale), obs=Y)


@case(
    "regression",
    "p(mean_slope) p(log_scale_slope) p(y|mean_slope,log_scale_slope)",
    observed="y",
    plates="data 5: y",
)
def heteroscedastic():
    mean = pyro.sample("mean_slope", dist.Normal(0.0, 1.0))
    log_scale = pyro.sample("log_scale_slope", dist.Normal(0.0, 0.3))
    with pyro.plate("data", 5):
        pyro.sample("y", dist.Normal(mean * X[:, 0], (log_scale * X[:, 1]).exp()), obs=Y)


@case(
    "regression",
    """p(gaps) d(cutpoints|gaps) p(slope) p(grade|slope,cutpoints)""",
    observed="grade",
    plates="pupils 5: grade",
)
def ordinal():
    gaps = pyro.sample("gaps", dist.Gamma(2.0, 1.0).expand([3]).to_event(1))
    cutpoints = pyro.deterministic("cutpoints", gaps.cumsum(-1) - 2.0, event_dim=1)
    slope = pyro.sample("slope", dist.Normal(0.0, 1.0))
    with pyro.plate("pupils", 5):
        grades = torch.tensor([0, 1, 2, 3, 1])
        pyro.sample("grade", dist.OrderedLogistic(slope * X[:, 0], cutpoints), obs=grades)


@case(
    "regression",
    "p(tau) p(lam) p(beta|tau,lam) p(y|beta)",
    observed="y",
    plates="features 2: lam beta; data 5: y",
)
def horseshoe():
    tau = pyro.sample("tau", dist.HalfCauchy(0.1))
    with pyro.plate("features", 2):
        lam = pyro.sample("lam", dist.HalfCauchy(1.0))
        beta = pyro.sample("beta", dist.Normal(0.0, tau * lam))
    with pyro.plate("data", 5):
        pyro.sample("y", dist.Normal(X @ beta, 1.0), obs=Y)


@case("regression", "p(gate) p(rate) p(n|gate,rate)", observed="n", plates="rows 5: n")
def zero_inflated():
    gate = pyro.sample("gate", dist.Beta(1.0, 1.0))
    rate = pyro.sample("rate", dist.Gamma(2.0, 1.0))
    with pyro.plate("rows", 5):
        pyro.sample("n", dist.ZeroInflatedPoisson(rate=rate, gate=gate), obs=COUNTS)


class Line(PyroModule):
    """A linear layer with priors: its sites have dots in their names."""

    def __init__(self):
        super().__init__()
        self.linear = PyroModule[nn.Linear](2, 1)
        self.linear.weight = PyroSample(dist.Normal(0.0, 1.0).expand([1, 2]).to_event(2))
        self.linear.bias = PyroSample(dist.Normal(0.0, 10.0).expand([1]).to_event(1))

    def forward(self, x, y=None):
        sigma = pyro.sample("sigma", dist.Uniform(0.1, 10.0))
        mean = self.linear(x).squeeze(-1)
        with pyro.plate("data", x.shape[0]):
            pyro.sample("obs", dist.Normal(mean, sigma), obs=y)
        return mean


case(
    "networks",
    "p(sigma) p(linear.weight) p(linear.bias) p(obs|sigma,linear.weight,linear.bias,x)",
    name="pyro_linear",
    observed="obs",
    plates="data 5: obs",
    args=(X, Y),
)(Line())


class Perceptron(PyroModule):
    """Two layers, each with a prior, and one without a prior between them."""

    def __init__(self):
        super().__init__()
        self.first = PyroModule[nn.Linear](2, 3)
        self.first.weight = PyroSample(dist.Normal(0.0, 1.0).expand([3, 2]).to_event(2))
        self.middle = nn.Linear(3, 3)
        self.last = PyroModule[nn.Linear](3, 1)
        self.last.weight = PyroSample(dist.Normal(0.0, 1.0).expand([1, 3]).to_event(2))

    def forward(self):
        hidden = self.middle(self.first(X).tanh()).relu()
        logits = self.last(hidden).squeeze(-1)
        with pyro.plate("data", 5):
            pyro.sample("y", dist.Bernoulli(logits=logits), obs=BINARY)


case(
    "networks",
    "p(first.weight) p(last.weight) p(y|first.weight,last.weight)",
    name="bayesian_network_two_layers",
    observed="y",
    plates="data 5: y",
)(Perceptron())


@case("processes", "p(length) p(noise) p(y|length,noise)", observed="y")
def process_by_hand():
    length = pyro.sample("length", dist.LogNormal(0.0, 1.0))
    noise = pyro.sample("noise", dist.HalfNormal(0.5))
    distance = (X[:, None, 0] - X[None, :, 0]).square()
    covariance = (-distance / (2 * length**2)).exp() + (noise**2 + 1e-3) * torch.eye(5)
    pyro.sample("y", dist.MultivariateNormal(torch.zeros(5), covariance), obs=Y)


def _process():
    kernel = RBF(input_dim=1)
    kernel.lengthscale = PyroSample(dist.LogNormal(0.0, 1.0))
    kernel.variance = PyroSample(dist.LogNormal(0.0, 1.0))
    return GPRegression(X[:, 0], Y, kernel)


case(
    "processes",
    "p(kernel.lengthscale) p(kernel.variance) p(y|kernel.lengthscale,kernel.variance)",
    name="process_of_pyro",
    observed="y",
)(_process().model)


@case(
    "missing",
    "p(centre) p(age|centre) p(slope) p(y|age,slope)",
    observed="y",
    partly="age",
    plates="data 5: age y",
    args=(torch.tensor([0.2, torch.nan, 1.0, torch.nan, -0.4]), Y),
)
def missing_covariate(ages, y):
    centre = pyro.sample("centre", dist.Normal(0.0, 1.0))
    slope = pyro.sample("slope", dist.Normal(0.0, 1.0))
    known = ~ages.isnan()
    with pyro.plate("data", 5):
        age = pyro.sample("age", dist.Normal(centre, 1.0), obs=ages.nan_to_num(), obs_mask=known)
        pyro.sample("y", dist.Normal(slope * age, 1.0), obs=y)


@case(
    "survival",
    "p(shape) p(scale) p(time|shape,scale) p(alive|shape,scale)",
    observed="time alive",
    plates="patients 5: time alive",
)
def censored():
    shape = pyro.sample("shape", dist.Gamma(2.0, 2.0))
    scale = pyro.sample("scale", dist.LogNormal(0.0, 1.0))
    times, died = Y.abs() + 0.1, torch.tensor([True, False, True, True, False])
    with pyro.plate("patients", 5):
        with pyro.poutine.mask(mask=died):
            pyro.sample("time", dist.Weibull(scale, shape), obs=times)
        with pyro.poutine.mask(mask=~died):
            survival = (-((times / scale) ** shape)).exp()
            pyro.sample("alive", dist.Bernoulli(survival), obs=torch.ones(5))


@case(
    "differential equations",
    "p(birth) p(eaten) p(noise) p(prey|birth,eaten,noise)",
    observed="prey",
)
def lotka_volterra():
    birth = pyro.sample("birth", dist.LogNormal(-0.5, 0.3))
    eaten = pyro.sample("eaten", dist.LogNormal(-1.0, 0.3))
    noise = pyro.sample("noise", dist.HalfNormal(1.0))
    hares, lynxes, path = torch.tensor(1.0), torch.tensor(0.5), []
    for _ in range(8):
        eating = eaten * hares * lynxes
        hares, lynxes = hares + 0.1 * (birth * hares - eating), lynxes + 0.1 * (eating - lynxes)
        path.append(hares)
    pyro.sample("prey", dist.Normal(torch.stack(path), noise).to_event(1), obs=torch.ones(8))
