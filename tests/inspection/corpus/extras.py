"""What else Pyro's documentation has: reparametrisations, contributed modules, rarer statements."""

import pyro
import pyro.distributions as dist
import torch
from pyro.contrib.bnn import HiddenLayer
from pyro.contrib.forecast import ForecastingModel
from pyro.infer import autoguide, config_enumerate
from pyro.infer.reparam import DiscreteCosineReparam, HaarReparam, TransformReparam
from pyro.ops.indexing import Vindex
from torch import nn

from .chains import over
from .guides import hidden_markov_normal
from .hierarchies import subsampled
from .record import case, guided

ZERO = torch.tensor(0.0)
THREE = torch.tensor([0.1, -0.3, 0.6])


@case("factors", "p(a) f(energy|a) p(x|a)", observed="x")
def unit():
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    pyro.sample("energy", dist.Unit(-a.exp()), obs=torch.empty(0))
    pyro.sample("x", dist.Normal(a, 1.0), obs=ZERO)


@case("factors", "p(a) f(constant) p(x|a)", observed="x")
def constant_factor():
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    pyro.factor("constant", torch.tensor(-1.5))
    pyro.sample("x", dist.Normal(a, 1.0), obs=ZERO)


@case("plates", "p(a) p(x|a)", observed="x", plates="grid_0 3: a x; grid_1 2: a x")
def stack_of_plates():
    with pyro.plate_stack("grid", (2, 3)):
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(a, 1.0), obs=torch.zeros(2, 3))


@case(
    "plates",
    "p(w) p(x|w)",
    observed="x",
    plates="rows 10: x",
    args=(torch.linspace(0, 1, 10),),
)
def subsample_statement(data):
    w = pyro.sample("w", dist.Normal(0.0, 1.0))
    with pyro.plate("rows", 10, subsample_size=4):
        batch = pyro.subsample(data, event_dim=0)
        pyro.sample("x", dist.Normal(w, 1.0), obs=batch)


@case(
    "plates",
    """p(a_0) p(b_0_0|a_0) p(b_0_1|a_0) p(a_1) p(b_1_0|a_1) p(b_1_1|a_1)""",
    observed="b_0_0 b_0_1 b_1_0 b_1_1",
    loops="outer inner",
)
def loops_in_loops():
    inner = pyro.plate("inner", 2)
    for i in pyro.plate("outer", 2):
        a = pyro.sample(f"a_{i}", dist.Normal(0.0, 1.0))
        for j in inner:
            pyro.sample(f"b_{i}_{j}", dist.Normal(a, 1.0), obs=ZERO)


@case(
    "missing",
    "p(mu) p(both|mu)",
    partly="both",
    plates="rows 3: both",
)
def missing_vectors():
    """A row of a multivariate site is there or not."""
    mu = pyro.sample("mu", dist.Normal(torch.zeros(2), 1.0).to_event(1))
    known = torch.tensor([True, False, True])
    with pyro.plate("rows", 3):
        normal = dist.MultivariateNormal(mu, torch.eye(2))
        pyro.sample("both", normal, obs=torch.zeros(3, 2), obs_mask=known)


@case(
    "missing", "p(mu) p(all|mu) p(none|mu) p(y|none)", observed="all y", plates="rows 2: all none y"
)
def all_and_none_known():
    mu = pyro.sample("mu", dist.Normal(0.0, 1.0))
    with pyro.plate("rows", 2):
        known = torch.ones(2, dtype=torch.bool)
        pyro.sample("all", dist.Normal(mu, 1.0), obs=torch.zeros(2), obs_mask=known)
        none = pyro.sample("none", dist.Normal(mu, 1.0), obs=torch.zeros(2), obs_mask=~known)
        pyro.sample("y", dist.Normal(none, 1.0), obs=torch.zeros(2))


@case(
    "hidden Markov",
    "p(probs_x) p(probs_y) p(x_0|probs_x) p(y_0|x_0,probs_y)"
    + over(range(1, 3), " p(x_@|x_<,probs_x) p(y_@|x_@,y_<,probs_y)"),
    observed="y_0 y_1 y_2",
    plates="tones 4: y_0 y_1 y_2",
)
@config_enumerate
def music():
    """What is heard depends on the state and on what was heard before."""
    probs_x = pyro.sample("probs_x", dist.Dirichlet(0.9 * torch.eye(2) + 0.1).to_event(1))
    shape = dist.Beta(0.1, 0.9).expand([2, 2, 4]).to_event(3)
    probs_y = pyro.sample("probs_y", shape)
    tones = pyro.plate("tones", 4, dim=-1)
    x, y = torch.tensor(0), torch.zeros(4, dtype=torch.long)
    for t in pyro.markov(range(3)):
        x = pyro.sample(f"x_{t}", dist.Categorical(probs_x[x]))
        with tones as tone:
            heard = dist.Bernoulli(Vindex(probs_y)[x, y, tone] if t else probs_y[x, 0])
            y = pyro.sample(f"y_{t}", heard, obs=(tone % 2).float()).long()


@case(
    "hierarchies",
    "p(probs_g) p(probs_i) p(e_g|probs_g) p(e_i|probs_i) p(y_0|e_g,e_i) p(y_1|e_g,e_i,y_0)",
    observed="y_0 y_1",
    plates="group 2: e_g e_i y_0 y_1; individual 3: e_i y_0 y_1",
)
def mixed_effects():
    """Discrete effects of groups and of individuals on what each does next."""
    probs_g = pyro.sample("probs_g", dist.Dirichlet(torch.ones(3)))
    probs_i = pyro.sample("probs_i", dist.Dirichlet(torch.ones(3)))
    with pyro.plate("group", 2, dim=-1):
        group = pyro.sample("e_g", dist.Categorical(probs_g))
        with pyro.plate("individual", 3, dim=-2):
            own = pyro.sample("e_i", dist.Categorical(probs_i))
            y = torch.zeros(3, 2)
            for t in range(2):
                logits = group.float() - own.float() + (y if t else 0.0)
                y = pyro.sample(f"y_{t}", dist.Bernoulli(logits=logits), obs=torch.ones(3, 2))


def _reparametrised(reparam, **known):
    def model():
        scale = pyro.sample("scale", dist.LogNormal(0.0, 1.0))
        z = pyro.sample("z", dist.Normal(0.0, scale).expand([4]).to_event(1))
        pyro.sample("x", dist.Normal(z, 1.0).to_event(1), obs=torch.zeros(4))

    return case("reparametrisation", observed="x", **known)(
        pyro.poutine.reparam(model, config={"z": reparam})
    )


_reparametrised(
    DiscreteCosineReparam(),
    name="discrete_cosine",
    density="p(scale) p(z_dct|scale) d(z|z_dct) p(x|z)",
)
_reparametrised(
    HaarReparam(dim=-1, flip=False),
    name="haar",
    density="p(scale) p(z_haar|scale) d(z|z_haar) p(x|z)",
)


def _log_normal():
    mu = pyro.sample("mu", dist.Normal(0.0, 1.0))
    s = pyro.sample("s", dist.LogNormal(mu, 1.0))
    pyro.sample("x", dist.Normal(0.0, s), obs=ZERO)


case(
    "reparametrisation",
    "p(mu) p(s_base|mu) d(s|s_base) p(x|s)",
    name="transform",
    observed="x",
)(pyro.poutine.reparam(_log_normal, config={"s": TransformReparam()}))


@case("distributions", "p(a) p(x|a)")
def stable():
    """Can be drawn and has no density that is written down."""
    a = pyro.sample("a", dist.Uniform(1.1, 1.9))
    pyro.sample("x", dist.Stable(a, 0.0))


@case("distributions", "p(flag) p(a) p(x|flag,a)", observed="x", plates="rows 3: flag x")
def masked_mixture():
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    with pyro.plate("rows", 3):
        flag = pyro.sample("flag", dist.Bernoulli(0.5)).bool()
        parts = dist.Normal(0.0, 1.0).expand([3]), dist.Normal(a, 5.0).expand([3])
        pyro.sample("x", dist.MaskedMixture(flag, *parts), obs=THREE)


@case("distributions", "p(flag) p(x|flag)", plates="rows 3: flag x")
def mask_that_is_drawn():
    with pyro.plate("rows", 3):
        flag = pyro.sample("flag", dist.Bernoulli(0.5)).bool()
        with pyro.poutine.mask(mask=flag):
            pyro.sample("x", dist.Normal(0.0, 1.0), obs=None)


first, second = torch.linspace(-1, 1, 8).reshape(2, 4), torch.linspace(-1, 1, 4).reshape(4, 1)


@case("networks", "p(h1|pixels) p(h2|h1) p(y|h2)", observed="y", args=(torch.ones(3, 2), THREE))
def layers_as_sites(pixels, y):
    h1 = pyro.sample(
        "h1", HiddenLayer(pixels, first, 0.1 * torch.ones(2, 4), include_hidden_bias=False)
    )
    h2 = pyro.sample(
        "h2", HiddenLayer(h1, second, 0.1 * torch.ones(4, 1), include_hidden_bias=False)
    )
    pyro.sample("y", dist.Normal(h2.squeeze(-1), 1.0).to_event(1), obs=y)


class Trend(ForecastingModel):
    """Level and slope, as Pyro's forecasting asks for it: the observed value is a residual."""

    def model(self, zero_data, covariates):
        level = pyro.sample("level", dist.Normal(0.0, 10.0))
        slope = pyro.sample("slope", dist.Normal(0.0, 1.0))
        scale = pyro.sample("scale", dist.LogNormal(-2.0, 1.0))
        prediction = level + slope * torch.arange(6.0)[:, None]
        self.predict(dist.Normal(0.0, scale), prediction)


case(
    "time series",
    "p(level) p(slope) p(scale) p(residual|level,slope,scale)",
    name="forecasting_model",
    observed="residual",
    args=(torch.zeros(6, 1), torch.zeros(6, 0)),
)(Trend())


@case(
    "deep",
    """p(w_top) p(w_mid) p(z_top) p(z_mid|z_top,w_top) p(x|z_mid,w_mid)""",
    observed="x",
    plates="data 3: z_top z_mid x",
)
def deep_exponential_family():
    w_top = pyro.sample("w_top", dist.Gamma(0.1, 0.3).expand([2, 3]).to_event(2))
    w_mid = pyro.sample("w_mid", dist.Gamma(0.1, 0.3).expand([3, 4]).to_event(2))
    with pyro.plate("data", 3):
        z_top = pyro.sample("z_top", dist.Gamma(0.1, 0.1).expand([2]).to_event(1))
        mean = z_top @ w_top + 1e-3
        z_mid = pyro.sample("z_mid", dist.Gamma(0.1, 0.1 / mean).to_event(1))
        pyro.sample("x", dist.Poisson(z_mid @ w_mid + 1e-3).to_event(1), obs=torch.ones(3, 4))


backward = nn.GRUCell(1, 2)


@guided(
    "structured_inference_network",
    hidden_markov_normal.__name__,
    "q(z_0|x_0,x_1,x_2) q(z_1|z_0,x_1,x_2) q(z_2|z_1,x_2)",
)
def _():
    """A recurrent network runs backwards over the data; the guide runs forwards."""

    def guide(x):
        hidden, seen = torch.zeros(1, 2), []
        for t in (2, 1, 0):
            hidden = backward(x[t].reshape(1, 1), hidden)
            seen.insert(0, hidden)
        z = None
        for t, summary in enumerate(seen):
            loc = summary[0, 0] if z is None else summary[0, 0] + 0.5 * z
            z = pyro.sample(f"z_{t}", dist.Normal(loc, summary[0, 1].exp()))

    return guide


@guided("AutoNormal_of_a_minibatch", subsampled.__name__, "q(loc) q(z)")
def _():
    def plates(data):
        return pyro.plate("data", 100, subsample_size=5)

    guide = autoguide.AutoNormal(subsampled, create_plates=plates)
    guide(torch.linspace(0, 1, 100))
    return guide
