"""What a draw sums, and the mistakes in a pair of programs that it refuses."""

import warnings
from functools import partial

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import TraceEnum_ELBO, config_enumerate

from ccvae.inference import CCVAEObjective, Objective

ROWS, LABELS = 4, 3


class PlainELBO(Objective):
    """The ELBO of programs whose sites are x, y and z."""

    def formula(self, draw):
        return {
            "log p": draw.p("x") + draw.p("y") + draw.p("z"),
            "-log q": -draw.q("y") - draw.q("z"),
        }


class Unconditioned(CCVAEObjective):
    """The ELBO of CC-VAE's pair as it stands."""

    def prepare(self, guide):
        return guide

    def formula(self, draw):
        p = sum(draw.p(name) for name in ("x", "y", "z_c", "z_style"))
        return {"elbo": p - sum(draw.q(name) for name in ("y", "z_c", "z_style"))}


def model(x, more=None):
    with pyro.plate("data", 10, subsample=torch.arange(ROWS), dim=-2):
        with pyro.plate("labels", LABELS, dim=-1):
            y = pyro.sample("y", dist.Bernoulli(torch.tensor(0.3)))
            z = pyro.sample("z", dist.Normal(y, 1.0))
        pyro.sample("x", dist.Normal(z.sum(-1, keepdim=True), 1.0), obs=x)
        if more:
            more(x)


def guide(x, more=None, y=None):
    with pyro.plate("data", 10, subsample=torch.arange(ROWS), dim=-2):
        with pyro.plate("labels", LABELS, dim=-1):
            z = pyro.sample("z", dist.Normal(x.expand(ROWS, LABELS), 1.0))
            pyro.sample("y", dist.Bernoulli(logits=z), obs=y)
        if more:
            more(x)


def refused(match, model=model, guide=guide, objective=None):
    objective = objective or PlainELBO()
    with pytest.raises(ValueError, match=match):
        objective.loss(model, guide, torch.ones(ROWS, 1))


@pytest.mark.usefixtures("double")
def test_the_sum_over_labels_is_that_of_pyro(make_pair):
    pair = make_pair()
    pyro.set_rng_seed(1)
    loss = Unconditioned().differentiable_loss(*pair.programs, *pair.args, **pair.kwargs)
    found = torch.autograd.grad(loss, pair.parameters)
    pyro.set_rng_seed(1)
    with warnings.catch_warnings():
        # Pyro warns of sites outside their labels' plate, and of this sum, in which there is none.
        warnings.filterwarnings("ignore", message=".*possibly invalid dependency")
        elbo = TraceEnum_ELBO(max_plate_nesting=2)
        programs = pair.model, config_enumerate(pair.guide)
        reference = elbo.differentiable_loss(*programs, *pair.args, **pair.kwargs)
    expected = torch.autograd.grad(reference, pair.parameters)
    torch.testing.assert_close(loss, reference)
    torch.testing.assert_close(found, expected)


def test_the_sum_over_labels_is_that_over_all_settings():
    x = torch.ones(ROWS, 1)
    pyro.set_rng_seed(0)
    draw = PlainELBO().draw(model, guide, x)
    z = draw.guide["z"]["value"]
    q = torch.special.expit(z)
    by_hand = q * dist.Normal(1.0, 1.0).log_prob(z) + (1 - q) * dist.Normal(0.0, 1.0).log_prob(z)
    torch.testing.assert_close(draw.p("z"), by_hand.sum(-1))
    assert draw.scale == 2.5


def test_a_guide_without_a_latent_site_is_refused():
    def no_y(x):
        with (
            pyro.plate("data", 10, subsample=torch.arange(ROWS), dim=-2),
            pyro.plate("labels", LABELS, dim=-1),
        ):
            pyro.sample("z", dist.Normal(x.expand(ROWS, LABELS), 1.0))

    refused("model site 'y' is latent but the guide has only z", guide=no_y)


def test_a_guide_site_that_the_model_lacks_is_refused():
    more = partial(guide, more=lambda x: pyro.sample("w", dist.Normal(x, 1.0)))
    refused("guide site 'w' does not occur in the model", guide=more)


def test_an_observation_in_the_guide_is_refused():
    observing = partial(guide, y=torch.ones(ROWS, LABELS))
    refused("guide site 'y' is observed", guide=observing)


def test_a_decoder_of_all_labels_of_a_plate_is_refused():
    """M2 in a plate: Pyro would sum the settings "all 0" and "all 1" alone, with a warning."""

    def m2(x):
        with pyro.plate("data", 10, subsample=torch.arange(ROWS), dim=-2):
            with pyro.plate("labels", LABELS, dim=-1):
                y = pyro.sample("y", dist.Bernoulli(torch.tensor(0.3)))
                z = pyro.sample("z", dist.Normal(torch.zeros(()), 1.0))
            pyro.sample("x", dist.Normal((y + z).sum(-1, keepdim=True), 1.0), obs=x)

    refused("site 'x' depends on the enumerated label 'y' but lies outside its plate", model=m2)


def test_a_site_without_a_term_is_refused():
    more = partial(model, more=lambda x: pyro.sample("caption", dist.Normal(x, 1.0), obs=x))
    refused("site 'caption' of the model has no term", model=more)


def test_a_term_without_a_site_is_refused():
    refused("needs a site 'z_style', but the model has only y, z, x", objective=CCVAEObjective())


def test_a_program_without_a_data_plate_is_refused():
    def bare(program):
        def run(x):
            with pyro.plate("rows", ROWS, dim=-2), pyro.plate("labels", LABELS, dim=-1):
                program(x)

        return run

    def q(x):
        z = pyro.sample("z", dist.Normal(x.expand(ROWS, LABELS), 1.0))
        pyro.sample("y", dist.Bernoulli(logits=z))

    def p(x):
        y = pyro.sample("y", dist.Bernoulli(torch.tensor(0.3)))
        z = pyro.sample("z", dist.Normal(y, 1.0))
        pyro.sample("x", dist.Normal(z, 1.0), obs=x.expand(ROWS, LABELS))

    refused("lies outside a plate called 'data'", model=bare(p), guide=bare(q))


def test_a_guide_that_states_no_evidence_is_refused():
    def blocks(sites):
        def run(x):
            with pyro.plate("data", 10, subsample=torch.arange(ROWS), dim=-2):
                pyro.sample("z_style", dist.Normal(x, 1.0))
                with pyro.plate("labels", LABELS, dim=-1):
                    z = pyro.sample("z_c", dist.Normal(x.expand(ROWS, LABELS), 1.0))
                    pyro.sample("y", dist.Bernoulli(logits=z))
                if sites == "model":
                    pyro.sample("x", dist.Normal(z.sum(-1, keepdim=True), 1.0), obs=x)

        return run

    refused(
        "needs q\\(y\\|z_c\\) of the site 'z_c', which is a Normal",
        model=blocks("model"),
        guide=blocks("guide"),
        objective=CCVAEObjective(),
    )
