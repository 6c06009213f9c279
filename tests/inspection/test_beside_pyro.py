"""Posterior dependences beside Pyro's, with a reason for every difference."""

import pyro
import pyro.distributions as dist
import pytest
import torch

from ccvae.inspection import inspect_pair
from ccvae.inspection.beside_pyro import beside_pyro

SEEN = torch.tensor(0.0)


def nothing():
    pass


def normal(name, loc=0.0, obs=None):
    return pyro.sample(name, dist.Normal(loc, 1.0), obs=obs)


def fork():
    """b ← a → c, a sensor at each end: given the data, b and c are tied through a."""
    a = normal("a")
    normal("x", normal("b", a), SEEN)
    normal("y", normal("c", a), SEEN)


def chain():
    normal("x", normal("b", normal("a")), SEEN)


def collected():
    m = normal("m")
    with pyro.plate("i", 3):
        z = normal("z", m)
    normal("s", z.sum(), SEEN)


def shaped():
    """b takes no more from a than its shape."""
    a = normal("a")
    normal("x", a + normal("b", torch.zeros_like(a) * a), SEEN)
    normal("c", 0.0 * a)


def listed(found):
    return {(str(d.arrow), d.ours) for d in found.differences}


@pytest.mark.parametrize("model", [chain, collected])
def test_they_agree_where_factors_say_it_all(model):
    found = beside_pyro(inspect_pair(model, nothing))
    assert not found.differences
    assert found.ours
    assert "lists the same dependences" in found.to_text()


def test_what_is_tied_through_a_later_variable_is_ours_alone():
    """In the order c, b, a: p(c | x, y) p(b | c, x) p(a | b, c)."""
    found = beside_pyro(inspect_pair(fork, nothing))
    assert found.order == ("c", "b", "a")
    assert listed(found) == {("x → c", True), ("c → b", True)}
    reasons = {str(d.arrow): d.why for d in found.differences}
    assert reasons["c → b"] == (
        "tied through what is drawn later; Pyro looks at single factors (c ← a → b)"
    )
    assert "c → b: here alone" in found.to_text()


def test_the_posterior_of_the_fork_has_our_arrows():
    """Its precision in the order c, b, a: b given c and the data still depends on c."""
    names = ["a", "b", "c", "x", "y"]
    loading = torch.eye(5, dtype=torch.float64)
    for parent, child in ("ab", "ac", "bx", "cy"):
        loading[names.index(child), names.index(parent)] = -1
    covariance = (loading.T @ loading).inverse()
    given, of = [names.index(n) for n in "cxy"], names.index("b")
    weights = torch.linalg.solve(covariance[given][:, given], covariance[given, of])
    used = {name for name, weight in zip("cxy", weights, strict=True) if abs(weight) > 1e-12}
    ours = beside_pyro(inspect_pair(fork, nothing)).ours
    assert used == {arrow.parent for arrow in ours if arrow.child == "b"}


def test_a_false_edge_is_pyros_alone():
    """c takes nothing from a, which is multiplied by zero."""
    found = beside_pyro(inspect_pair(shaped, nothing))
    assert listed(found) == {("c → a", False)}
    assert found.differences[0].why == "the model has no factor of both"


@pytest.mark.parametrize("program", ["vae", "m2", "diva", "ccvae"])
def test_every_difference_of_the_suite_is_explained(inspected, program):
    """Pyro lists no observed parents of a latent, and agrees in all else."""
    found = beside_pyro(inspected(program))
    assert not found.failure
    for difference in found.differences:
        assert difference.ours
        assert difference.arrow.given == "observed"
        assert difference.why.startswith("of what is known Pyro lists the children")
    assert bool(found.differences) == (program != "vae")


def test_a_failure_of_the_tool_is_said():
    def breaks():
        a = pyro.sample("a", dist.Normal(0.0, 1.0))
        if type(a) is not torch.Tensor:
            raise TypeError("expected a plain tensor")

    found = beside_pyro(inspect_pair(breaks, nothing))
    assert found.failure == "TypeError: expected a plain tensor"
    assert "ends with an error: TypeError" in found.to_text()
