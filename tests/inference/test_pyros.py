"""Pyro's objectives by name: Pyro's own values and gradients, and terms that add up to them."""

import math

import pyro
import pytest
import torch
from pyro import distributions as dist
from pyro import infer
from pyro.infer import config_enumerate

from ccvae.inference import check_pair
from ccvae.inference.catalogue import PROGRAMS
from ccvae.inference.checks.applying import check_applies
from ccvae.inference.objectives.literals import pyros
from ccvae.inference.objectives.pyros import MANY, OBJECTIVES, REST
from ccvae.words import read_call

from ..calling import call

SMALL = ["--data", "digits", "--likelihood", "bernoulli", "--network", "mlp", "--style", "2"]

# Pyro warns of every nested plate; the suite has a check of its own for these.
pytestmark = pytest.mark.filterwarnings("ignore:at model site")
exactly = pytest.mark.usefixtures("double")

GUESSING = ("TraceEnum_ELBO", "TraceTMC_ELBO", "ReweightedWakeSleep")

WHOLE = ("RenyiELBO", "ReweightedWakeSleep", "TraceTMC_ELBO")


def made(word):
    return pyros(read_call(f"pyro:{word}"))


def case(make_pair, program, name):
    """A pair, with all of its rows where the objective needs them."""
    pair = make_pair(program=program)
    rows = len(pair.args[0])
    kwargs = {"index": torch.arange(rows), "size": rows} if name in WHOLE else pair.kwargs
    return pair, kwargs


def gradients(pair):
    found = [None if p.grad is None else p.grad.clone() for p in pair.parameters]
    for parameter in pair.parameters:
        parameter.grad = None
    return found


@exactly
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name != "TraceMeanField_ELBO"])
def test_it_is_pyros_own(make_pair, program, name):
    pair, kwargs = case(make_pair, program, name)
    # Those that would guess it do so by a run, which draws.
    depth = {"max_plate_nesting": 2} if name in GUESSING else {}
    word = f"{name}(max_plate_nesting=2)" if depth else name
    check_pair(*pair.programs, *pair.args, objective=made(word), **kwargs)
    module = made(word)(*pair.programs)
    pyro.set_rng_seed(3)
    with pyro.validation_enabled(False):
        loss = module(*pair.args, **kwargs)
        loss.backward()
    ours = gradients(pair)
    pyro.set_rng_seed(3)
    model, guide = pair.programs
    if name in ("TraceEnum_ELBO", "TraceTMC_ELBO"):
        guide = config_enumerate(guide)
    with pyro.validation_enabled(False):
        theirs = getattr(infer, name)(**depth).loss_and_grads(model, guide, *pair.args, **kwargs)
    if name == "ReweightedWakeSleep":
        theirs = theirs[0]
    assert loss.item() == pytest.approx(theirs, rel=1e-12)
    torch.testing.assert_close(ours, gradients(pair))
    assert sum(module.terms.values()).item() == pytest.approx(-theirs, rel=1e-12)
    assert {"log p(x)", REST} & set(module.terms)
    with torch.no_grad():
        assert math.isfinite(module(*pair.args, **kwargs).item())


@exactly
def test_closed_divergences_are_pyros(make_pair):
    pair, kwargs = case(make_pair, "vae", "")
    objective = made("TraceMeanField_ELBO(num_particles=2)")
    module = objective(*pair.programs)
    loss = module(*pair.args, **kwargs)
    assert list(module.terms) == ["-divergence of z", "log p(x)"]
    assert sum(module.terms.values()).item() == pytest.approx(-loss.item(), rel=1e-12)


@exactly
def test_particles_at_once_have_the_terms_of_each(make_pair):
    pair, kwargs = case(make_pair, "vae", "")
    objective = made("Trace_ELBO(num_particles=3,vectorize_particles=True,max_plate_nesting=2)")
    module = objective(*pair.programs)
    loss = module(*pair.args, **kwargs)
    assert sum(module.terms.values()).item() == pytest.approx(-loss.item(), rel=1e-12)


@exactly
def test_a_long_loop_has_one_term():
    def model():
        for i in range(MANY + 1):
            pyro.sample(f"x_{i}", dist.Normal(0.0, 1.0), obs=torch.tensor(1.0))

    objective = made("Trace_ELBO")
    loss = torch.tensor(objective.loss(model, lambda: None))
    terms = objective.terms_of(loss)
    assert list(terms) == ["log p(x)"]
    assert terms["log p(x)"].item() == pytest.approx(-loss.item())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("Trace_Elbo", "choose pyro: and one of TraceEnum_ELBO"),
        ("JitTrace_ELBO", "unknown objective"),
        ("SVI", "unknown objective"),
        ("RenyiELBO(alpha=1)", "cannot be made"),
        ("RenyiELBO(alpha='x')", "alpha of pyro:RenyiELBO to be a number"),
        ("RenyiELBO(beta=1)", "does not take 'beta'; it takes alpha, num_particles"),
        ("Trace_ELBO(num_particles=0)", "a whole number from 1"),
        ("Trace_ELBO(num_particles=True)", "a whole number from 1"),
        ("Trace_ELBO(num_particles=1.5)", "a whole number from 1"),
        ("Trace_ELBO(1, 2, False, True, 5, 6)", "does not take 6 arguments"),
        ("Trace_ELBO(jit_options={})", "does not take 'jit_options'"),
        ("Trace_ELBO(vectorize_particles=1)", "to be True or False"),
        ("ReweightedWakeSleep(num_particles=1)", "cannot be made"),
    ],
)
def test_arguments_that_an_objective_does_not_have(word, message):
    with pytest.raises(ValueError, match=message):
        made(word)


@exactly
@pytest.mark.parametrize("program", ["m2", "diva", "ccvae"])
def test_a_pair_to_which_it_does_not_apply_is_told_what_would(make_pair, program):
    pair, kwargs = case(make_pair, program, "")
    with pytest.raises(ValueError, match="does not apply to this pair") as caught:
        check_applies(*pair.programs, *pair.args, objective=made("TraceMeanField_ELBO"), **kwargs)
    advice = "give --objective pyro:TraceEnum_ELBO or pyro:Trace_ELBO or pyro:TraceGraph_ELBO"
    assert str(caught.value).endswith(advice)


@exactly
@pytest.mark.parametrize("name", WHOLE)
def test_a_part_of_the_rows_is_refused_where_it_cannot_stand_for_all(make_pair, name):
    pair = make_pair()
    with pytest.raises(ValueError, match=r"expected all \d+ rows .* give --objective pyro:Trace"):
        check_applies(*pair.programs, *pair.args, objective=made(name), **pair.kwargs)


@pytest.mark.usefixtures("brief_classifiers")
def test_it_trains_by_name_and_is_evaluated(tmp_path, capsys):
    words = ["train", *SMALL, "--epochs", "1", "--batch-size", "1000"]
    run = tmp_path / "run"
    refused = ["--objective", "pyro:TraceMeanField_ELBO", "--out", run]
    status, out, err = call(capsys, *words, *refused)
    assert (status, out, err.count("does not apply")) == (2, "", 1)
    run = tmp_path / "run2"
    named = ["--objective", "pyro:TraceEnum_ELBO(num_particles=2)", "--out", run]
    status, out, err = call(capsys, *words, *named)
    assert status == 0, err
    assert "log p(x)" in (run / "metrics.jsonl").read_text()
    status, out, err = call(capsys, "evaluate", run)
    assert status == 0, err
    assert "nats per image" in out


def test_alpha_and_shares_are_refused_where_an_objective_has_none(tmp_path, capsys):
    for more, message in (
        (["--objective", "pyro:Trace_ELBO", "--alpha", "3"], "has no alpha"),
        (["--objective", "pyro:RenyiELBO", "--labelled-share", "0.5"], "cannot weigh rows"),
        (["--objective", "pyro:Nothing"], "choose one of TraceEnum_ELBO"),
    ):
        status, _, err = call(capsys, "train", *SMALL, *more, "--out", tmp_path / "run")
        assert (status, err.count("\n")) == (2, 1)
        assert message in err
