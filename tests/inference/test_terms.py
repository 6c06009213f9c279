"""What the names of terms say, and that a name which says nothing is refused."""

import pytest

from ccvae.inference import VAEObjective, check_pair
from ccvae.inference.objectives.terms import Term, parse

NAMES = {
    "log p(x|z)": Term(False, "", "log p(x|z)"),
    "-log q(z|x)": Term(True, "", "log q(z|x)"),
    "-beta log q(z_c|x)": Term(True, "beta", "log q(z_c|x)"),
    "(alpha-1) log q(y_observed|x)": Term(False, "(alpha-1)", "log q(y_observed|x)"),
    "alpha_d log q(d|z)": Term(False, "alpha_d", "log q(d|z)"),
    "alpha entropy of q": Term(False, "alpha", "entropy of q"),
    "w log sum p(z|y)": Term(False, "w", "log sum p(z|y)"),
    "score function": Term(False, "", "score function"),
}
WRONG = ("alphabet log p(x)", "beta2 log p(z)", "2 log p(x)", "-", "- log p(x)", "", "log ")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_sign_weight_and_body(name):
    assert parse(name) == NAMES[name]
    assert parse(name).in_bound == ("alpha" not in name)


@pytest.mark.parametrize("name", WRONG)
def test_a_name_that_says_nothing_is_refused_in_one_line(name):
    with pytest.raises(ValueError, match="expected a term's name as") as found:
        parse(name)
    assert repr(name) in str(found.value)
    assert "\n" not in str(found.value)


class Misnamed(VAEObjective):
    """Names a term after nothing that is known."""

    def formula(self, draw):
        return {"alphabet log p": sum(super().formula(draw).values())}


def test_no_term_leaves_the_bound_in_silence(make_pair):
    pair = make_pair(program="vae")
    with pytest.raises(ValueError, match="got 'alphabet log p'"):
        check_pair(*pair.programs, *pair.args, objective=Misnamed(), **pair.kwargs)
    with pytest.raises(ValueError, match="got 'alphabet log p'"):
        Misnamed().terms(*pair.programs, *pair.args, **pair.kwargs)
