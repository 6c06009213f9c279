"""What Pyro has beside sample and plate, what programs do beside it, and what only looks so."""

import pyro
import pyro.distributions as dist
import torch
from torch.distributions import constraints

from .record import case

ZERO = torch.tensor(0.0)


@case("factors", "p(a) f(penalty|a)")
def potential():
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    pyro.factor("penalty", -(a**2))


@case(
    "factors",
    "p(s_0) p(s_1) p(s_2) f(pair_0|s_0,s_1) f(pair_1|s_1,s_2)",
)
def ising():
    """Neighbouring spins want to be equal: an undirected chain."""
    spins = [2 * pyro.sample(f"s_{i}", dist.Bernoulli(0.5)) - 1 for i in range(3)]
    for i in range(2):
        pyro.factor(f"pair_{i}", 0.7 * spins[i] * spins[i + 1])


@case("factors", "p(a) f(soft|a) p(x|a)", observed="x", plates="rows 3: a soft x")
def factor_in_a_plate():
    with pyro.plate("rows", 3):
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
        pyro.factor("soft", -a.abs())
        pyro.sample("x", dist.Normal(a, 1.0), obs=torch.zeros(3))


@case("deterministic", "p(a) p(b) d(total|a,b) d(twice|total) p(x|twice)", observed="x")
def two_deterministic():
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    b = pyro.sample("b", dist.Normal(0.0, 1.0))
    total = pyro.deterministic("total", a + b)
    twice = pyro.deterministic("twice", 2 * total)
    pyro.sample("x", dist.Normal(twice, 1.0), obs=ZERO)


@case("nothing passes", "p(z) p(a) p(b) p(c) p(e) p(x)", observed="x")
def shapes_only():
    """The entries of z reach nobody."""
    z = pyro.sample("z", dist.Normal(0.0, 1.0).expand([3]).to_event(1))
    pyro.sample("a", dist.Normal(torch.zeros_like(z), 1.0).to_event(1))
    pyro.sample("b", dist.Normal(z.new_ones(len(z)), 1.0).to_event(1))
    pyro.sample("c", dist.Normal(0.0, 1.0).expand(z.shape).to_event(1))
    pyro.sample("e", dist.Normal(0.0, 1.0).expand([z.numel()]).to_event(1))
    pyro.sample(
        "x", dist.Normal(torch.arange(float(z.size(0))), 1.0).to_event(1), obs=torch.zeros(3)
    )


@case("nothing passes", "p(z) p(x)", observed="x")
def times_zero():
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    pyro.sample("x", dist.Normal(0 * z + 1.0, 1.0), obs=ZERO)


@case("nothing passes", "p(z) p(x)", observed="x", plates="rows 3: z x")
def mask_of_ones():
    with pyro.plate("rows", 3):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        with pyro.poutine.mask(mask=torch.ones_like(z).bool()):
            pyro.sample("x", dist.Normal(0.0, 1.0), obs=torch.zeros(3))


@case("nothing passes", "p(z) p(x) p(y|z)", observed="x y", plates="rows 4: z x y")
def indices_of_a_plate():
    with pyro.plate("rows", 4) as rows:
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(rows.float(), 1.0), obs=torch.zeros(4))
        pyro.sample("y", dist.Normal(z[rows], 1.0), obs=torch.zeros(4))


@case("nothing passes", "p(a) p(b) p(x|a)", observed="x")
def overwritten():
    """b is written into a buffer that a then takes the place of."""
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    b = pyro.sample("b", dist.Normal(0.0, 1.0))
    buffer = torch.zeros(2)
    buffer[0] = b
    buffer[0] = a
    pyro.sample("x", dist.Normal(buffer[0], 1.0), obs=ZERO)


@case("nothing passes", "p(a) p(b) p(x|a) p(y|b)", observed="x y")
def apart_in_one_tensor():
    """Stacked and taken apart again: each has its own parent only."""
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    b = pyro.sample("b", dist.Normal(0.0, 1.0))
    both = torch.stack([a, b])
    pyro.sample("x", dist.Normal(both[0], 1.0), obs=ZERO)
    pyro.sample("y", dist.Normal(both[1], 1.0), obs=ZERO)


@case("names", "p(y_0) p(y_1|y_0) p(y_2|y_1) p(y_a) p(y_b)", observed="y_a y_b")
def names_like_labels():
    y = pyro.sample("y_0", dist.Bernoulli(0.5))
    y = pyro.sample("y_1", dist.Bernoulli(0.2 + 0.5 * y))
    pyro.sample("y_2", dist.Bernoulli(0.2 + 0.5 * y))
    pyro.sample("y_a", dist.Bernoulli(0.5), obs=ZERO)
    pyro.sample("y_b", dist.Bernoulli(0.5), obs=ZERO)


@case(
    "names",
    "p(z_c_1) p(z_c_2) p(z_y_red|z_c_1) p(y_top|z_y_red) p(y_low|z_c_2)",
    observed="y_top y_low",
)
def names_like_ours():
    one = pyro.sample("z_c_1", dist.Normal(0.0, 1.0))
    two = pyro.sample("z_c_2", dist.Normal(0.0, 1.0))
    red = pyro.sample("z_y_red", dist.Normal(one, 1.0))
    pyro.sample("y_top", dist.Bernoulli(logits=red), obs=ZERO)
    pyro.sample("y_low", dist.Bernoulli(logits=two), obs=ZERO)


@case(
    "names",
    "p(a) p(b|a)",
    plates="labels 2: a; labels_other 3: b",
)
def plates_called_labels():
    """Plates of somebody else's that are called as ours are."""
    with pyro.plate("labels", 2):
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
    with pyro.plate("labels_other", 3):
        pyro.sample("b", dist.Normal(a.sum(), 1.0))


@case("names", "p(x[0]) p(x[1]|x[0]) p(net.layer.bias) p(y|x[1],net.layer.bias)", observed="y")
def brackets_and_dots():
    first = pyro.sample("x[0]", dist.Normal(0.0, 1.0))
    second = pyro.sample("x[1]", dist.Normal(first, 1.0))
    bias = pyro.sample("net.layer.bias", dist.Normal(0.0, 1.0))
    pyro.sample("y", dist.Normal(second + bias, 1.0), obs=ZERO)


@case("names", "p(y_observed) p(y_unobserved|y_observed)", observed="y_observed")
def names_like_halves():
    """Called like the halves that ``obs_mask`` makes, and none: one depends on the other."""
    y = pyro.sample("y_observed", dist.Normal(0.0, 1.0), obs=ZERO)
    pyro.sample("y_unobserved", dist.Normal(y, 1.0))


@case("calls", "p(z) p(x|z)", observed="x", kwargs={"data": ZERO, "scale": 2.0})
def keywords_only(*, data, scale, note="unused"):
    z = pyro.sample("z", dist.Normal(0.0, scale))
    pyro.sample("x", dist.Normal(z, 1.0), obs=data)
    return {"z": z, "note": note}


@case("calls", "p(z) p(x|z)", observed="x")
def prints_and_sets_the_dtype():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    z = pyro.sample("z", dist.Normal(torch.tensor(0.0), 1.0))
    print("drawn", z.shape)
    pyro.sample("x", dist.Normal(z, 1.0), obs=torch.tensor(0.5))
    torch.set_default_dtype(before)
    return z


@case(
    "calls", "p(z) p(x_0|z) p(x_1|z)", observed="x_0 x_1", args=([torch.zeros(2), torch.ones(3)],)
)
def lists_of_tensors(batches):
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    for i, batch in enumerate(batches):
        pyro.sample(f"x_{i}", dist.Normal(z, 1.0).expand([len(batch)]).to_event(1), obs=batch)


@case("calls", "p(w) p(x|w)", observed="x", plates="data 2: x")
def parameters():
    """A parameter is no variable of the model."""
    loc = pyro.param("loc", ZERO)
    width = pyro.param("width", torch.tensor(1.0), constraint=constraints.positive)
    w = pyro.sample("w", dist.Normal(loc, 1.0))
    with pyro.plate("data", 2):
        pyro.sample("x", dist.Normal(w, width), obs=torch.zeros(2))


class Bare(dist.Distribution):
    """A distribution of one's own that has a draw and a density, and no batch shape."""

    def __init__(self, loc):
        self.loc = loc

    def sample(self, sample_shape=()):
        return self.loc + torch.randn(())

    def __call__(self, sample_shape=()):
        return self.sample(sample_shape)

    def log_prob(self, value):
        return -0.5 * (value - self.loc) ** 2


@case("distributions", "p(z) p(w|z) p(x|w)", observed="x")
def bare_distribution():
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    w = pyro.sample("w", Bare(z))
    pyro.sample("x", dist.Normal(w, 1.0), obs=ZERO)


@case("distributions", "p(m) p(z|m) p(x|z)", observed="x", plates="rows 3: z x")
def masked_distribution():
    m = pyro.sample("m", dist.Normal(0.0, 1.0))
    with pyro.plate("rows", 3):
        z = pyro.sample("z", dist.Normal(m, 1.0).mask(torch.tensor([True, False, True])))
        pyro.sample("x", dist.Normal(z, 1.0), obs=torch.zeros(3))


@case("distributions", "p(a) p(b|a) p(x|b)", observed="x")
def delta_site():
    a = pyro.sample("a", dist.Normal(0.0, 1.0))
    b = pyro.sample("b", dist.Delta(a.exp()))
    pyro.sample("x", dist.Normal(0.0, b), obs=ZERO)


def _smoking():
    smoke = pyro.sample("smoke", dist.Bernoulli(0.3))
    tar = pyro.sample("tar", dist.Bernoulli(0.1 + 0.8 * smoke))
    pyro.sample("cancer", dist.Bernoulli(0.1 + 0.4 * tar + 0.2 * smoke))


case("causes", "p(smoke) p(tar|smoke) p(cancer|tar,smoke)", name="smoking")(_smoking)

case("causes", "p(smoke) p(tar|smoke) p(cancer|smoke)", name="smoking_do_tar")(
    pyro.poutine.do(_smoking, data={"tar": torch.tensor(1.0)})
)

case(
    "causes",
    "p(smoke) p(tar|smoke) p(cancer|tar,smoke)",
    name="smoking_given_cancer",
    observed="cancer",
)(pyro.poutine.condition(_smoking, data={"cancer": torch.tensor(1.0)}))


WIDE = [f"w_{i}" for i in range(14)]


@case("many", " ".join(f"p({w})" for w in WIDE) + f" p(x|{','.join(WIDE)})", observed="x")
def many_parents():
    total = sum(pyro.sample(w, dist.Normal(0.0, 1.0)) for w in WIDE)
    pyro.sample("x", dist.Normal(total, 1.0), obs=ZERO)


@case(
    "many",
    "p(root) " + " ".join(f"p(v_{i}|{f'v_{(i - 1) // 2}' if i else 'root'})" for i in range(41)),
)
def tree():
    """A binary tree of 42 nodes."""
    nodes = [pyro.sample("root", dist.Normal(0.0, 1.0))]
    for i in range(41):
        parent = nodes[1 + (i - 1) // 2] if i else nodes[0]
        nodes.append(pyro.sample(f"v_{i}", dist.Normal(parent, 1.0)))


GRID = 6


@case(
    "many",
    " ".join(
        "p(g_{}_{}{})".format(r, c, "|" * bool(r or c) + ",".join(
            [f"g_{r - 1}_{c}"] * bool(r) + [f"g_{r}_{c - 1}"] * bool(c)))
        for r in range(GRID) for c in range(GRID)
    ),
)  # fmt: skip
def grid():
    """A grid of 36 nodes, each given its upper and its left neighbour."""
    g = {}
    for r in range(GRID):
        for c in range(GRID):
            mean = g.get((r - 1, c), 0.0) + g.get((r, c - 1), 0.0) + ZERO
            g[r, c] = pyro.sample(f"g_{r}_{c}", dist.Normal(mean, 1.0))
