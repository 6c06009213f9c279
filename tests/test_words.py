"""Words for objectives and programs: what they may say, and that nothing of them is run."""

import pytest

from ccvae.words import Call, Part, Programs, modules_in, read_call, read_programs, read_sum


@pytest.mark.parametrize(
    ("word", "call"),
    [
        ("ccvae", Call("ccvae")),
        ("our-adapted-diva", Call("our-adapted-diva")),
        ("mine:Class", Call("mine:Class")),
        ("mine.inner:Outer.Class( )", Call("mine.inner:Outer.Class")),
        ("pyro:Trace_ELBO(3)", Call("pyro:Trace_ELBO", (3,))),
        ("pyro:RenyiELBO(alpha=-0.5)", Call("pyro:RenyiELBO", (), {"alpha": -0.5})),
        ("mine:C('a+b', x=[1, (2,)])", Call("mine:C", ("a+b",), {"x": [1, (2,)]})),
    ],
)
def test_a_word_is_read(word, call):
    assert read_call(word) == call


@pytest.mark.parametrize(
    "word",
    [
        "",
        "pyro:",
        "a b",
        "mine:Class(x",
        "mine:Class)(",
        "mine:Class(open('f'))",
        "mine:Class(x=__import__('os'))",
        "mine:Class(1)(2)",
        "mine:Class(1), other(2)",
        "mine:Class(**{'a': 1})",
        "mine:Class(*[1])",
        "mine:Class(a=1, a=2)",
        "mine:Class(lambda: 1)",
        "mine:Class(" + "(" * 400 + ")" * 400 + ")",
        "mine:Class(" + "-" * 900 + "1)",
        "m" * 2000,
    ],
)
def test_a_word_with_more_than_literals_is_refused(word):
    with pytest.raises(ValueError, match=r"expected a name|are no literals"):
        read_call(word)


def test_a_sum_is_read():
    assert read_sum("mine:A(x='1+1')") == [Part(1.0, "mine:A(x='1+1')")]
    assert read_sum("2*ccvae+1e-3*marginal") == [Part(2.0, "ccvae"), Part(1e-3, "marginal")]
    for wrong in ("ccvae+", "0*ccvae", "-1*ccvae", "x*ccvae", "inf*ccvae", "2*"):
        with pytest.raises(ValueError, match="with positive weights"):
            read_sum(wrong)


def test_the_modules_of_a_word_are_the_users():
    assert modules_in("0.5*mine:A(x=1)+pyro:Trace_ELBO+ccvae+ours.b:C") == {"mine", "ours.b"}


def test_a_pair_is_read():
    assert read_programs("mine:model") == Programs("mine", "model", "")
    for wrong in ("mine:", ":model,guide", "mine:model,", "mine:a,b,c", "mine:,b"):
        with pytest.raises(ValueError, match="expected module:model,guide"):
            read_programs(wrong)
