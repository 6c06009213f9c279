"""One planted mistake for every check of a pair, and the pairs in which there is none."""

import contextlib
import math
import random
from functools import partial

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro import poutine
from pyro.contrib.autoname import scope
from pyro.infer import (
    ELBO,
    RenyiELBO,
    Trace_ELBO,
    TraceEnum_ELBO,
    TraceMeanField_ELBO,
    config_enumerate,
)
from pyro.infer.autoguide import (
    AutoDelta,
    AutoDiagonalNormal,
    AutoIAFNormal,
    AutoNormal,
    AutoNormalMessenger,
)
from torch import nn
from torch.distributions import constraints

from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.inference import CCVAEObjective, Objective, check_pair
from ccvae.inference.catalogue import PROGRAMS, build_pair
from ccvae.inference.checks.untouched import untouched
from ccvae.models import Bernoulli

ROWS, WIDTH = 4, 3
X = torch.arange(ROWS * WIDTH).reshape(ROWS, WIDTH) / 10
ORIGIN = torch.zeros(WIDTH)
no_plate = contextlib.nullcontext


def data(size=10, dim=-1):
    return pyro.plate("data", size, subsample=torch.arange(ROWS), dim=dim)


def labels(dim=-1):
    return pyro.plate("labels", WIDTH, dim=dim)


def normal(loc):
    return dist.Normal(loc, 1.0).to_event(1)


def model(x, p_z=lambda: normal(ORIGIN), p_x=normal, plate=data, more=None):
    with plate():
        z = pyro.sample("z", p_z())
        pyro.sample("x", p_x(z), obs=x)
        if more:
            more(z)


def guide(x, q_z=normal, plate=data, more=None):
    with plate():
        z = pyro.sample("z", q_z(x))
        if more:
            more(z)


def trained(x):
    """A posterior with a parameter, so that draws carry a gradient."""
    return normal(x + torch.zeros((), requires_grad=True))


def more_draws(fn, **infer):
    return lambda z: pyro.sample("w", fn, infer=infer)


def labelled(x, decode=lambda y, z: z, plate=labels):
    """A model with labels y; each has a draw z."""
    with data(dim=-2):
        with plate():
            y = pyro.sample("y", dist.Bernoulli(torch.tensor(0.3)))
            z = pyro.sample("z", dist.Normal(y, 1.0))
        pyro.sample("x", dist.Normal(decode(y, z).sum(-1, keepdim=True), 1.0), obs=x[:, :1])


def labelling(x):
    with data(dim=-2), labels():
        z = pyro.sample("z", dist.Normal(x, 1.0))
        pyro.sample("y", dist.Bernoulli(logits=z))


def many_labels(x, count):
    with data():
        for i in range(count):
            pyro.sample(f"y_{i}", dist.Bernoulli(torch.tensor(0.5)))


class LabelELBO(Objective):
    """The ELBO of programs whose sites are x, y and z."""

    def __init__(self, sampled=False, odd=False):
        super().__init__()
        self.enumerate_labels, self.odd = not sampled, odd

    def formula(self, draw):
        terms = {"log p": draw.p("x") + draw.p("y") + draw.p("z")}
        terms["-log q"] = -draw.q("y") - draw.q("z")
        if self.odd:
            terms["odd"] = torch.tensor([0.0, 1.0, math.nan, 1.0])
        return terms


def partially_observed(y, known, masked=True):
    """A pair with a site y that is observed where it is known."""

    def observe(z):
        pyro.sample("y", dist.Normal(0.0, 1.0), obs=y, obs_mask=known)

    def draw(z):
        with poutine.mask(mask=~known) if masked else contextlib.nullcontext():
            pyro.sample("y_unobserved", dist.Normal(0.0, 1.0))

    return partial(model, more=observe), partial(guide, more=draw)


class Failing(Objective):
    def formula(self, draw):
        raise RuntimeError("no")


MISTAKES = []


def mistake(match, **options):
    """Notes a pair of programs and the message that it must draw."""

    def plant(make):
        MISTAKES.append(pytest.param(make, match, options, id=make.__name__))
        return make

    return plant


# Names.


@mistake("model site 'z' is latent but the guide has no site; sample it in the guide")
def a_latent_site_that_the_guide_lacks():
    return model, lambda x: pyro.sample("w", dist.Normal(0.0, 1.0), infer={"is_auxiliary": True})


@mistake("guide site 'w' does not occur in the model, .* give both sites one name")
def a_guide_site_that_the_model_lacks():
    return model, partial(guide, more=more_draws(dist.Normal(0.0, 1.0)))


@mistake("guide site 'w' is observed, .* leave the observation to the model")
def an_observation_in_the_guide():
    def observe(z):  # auxiliary as a factor is, but none
        pyro.sample("w", dist.Normal(0.0, 1.0), obs=z[..., 0], infer={"is_auxiliary": True})

    return model, partial(guide, more=observe)


# Shapes and plates.


@mistake(r"site 'z' has .* event shape \(3,\) in the model but .* \(2,\) in the guide; make them")
def an_event_of_another_size():
    return model, partial(guide, q_z=lambda x: normal(x[:, :2]))


@mistake(r"'z' has batch shape \(3,\) and event shape \(\) .* \(\) and event shape \(3,\) in the g")
def a_batch_here_and_an_event_there():
    p = partial(model, p_z=lambda: dist.Normal(ORIGIN, 1.0), plate=no_plate)
    return p, partial(guide, q_z=lambda x: normal(x[0]), plate=no_plate)


@mistake("'z' lies in plates 'data' .* in the model but in no plate in the guide; open the same")
def a_plate_of_the_model_alone():
    return model, partial(guide, q_z=lambda x: normal(x[0]), plate=no_plate)


@mistake(r"'data' \(dim -1, 4 of 10\) in the model but in .* 4 of 20\) in the guide; open the same")
def two_sizes_of_one_plate():
    return model, partial(guide, plate=partial(data, 20))


@mistake(r"'z' lies in plates 'data' \(dim -2.*'labels' \(dim -1.* but in plates 'labels' \(dim -2")
def plates_nested_in_another_order():
    def program(x, dims):
        with data(dim=dims[0]), labels(dims[1]):
            pyro.sample("z", dist.Normal(0.0, 1.0))

    return partial(program, dims=(-2, -1)), partial(program, dims=(-1, -2))


@mistake(r"a size of the plate 'data' around guide site 'z', got none.*pyro.plate\('data', size\)")
def a_plate_without_a_size():
    plate = partial(pyro.plate, "data")
    q = partial(guide, q_z=lambda x: normal(x[0]), plate=plate)
    return partial(model, plate=plate), q


@mistake(r"a size of the plate 'data' around model site 'z', got none")
def a_plate_without_a_size_in_the_model_alone():
    return partial(model, plate=partial(pyro.plate, "data")), guide


@mistake(r"guide site 'z' has 4 entries in the batch dimension -1, which no .*to_event\(\)")
def a_batch_that_no_plate_covers():
    return partial(model, plate=no_plate), partial(guide, plate=no_plate)


@mistake(r"model site 'x' has 3 entries in the batch dimension -1, which no plate covers; open")
def data_with_more_dimensions_than_plates():
    p = partial(model, p_x=lambda z: dist.Normal(z[..., 0], 1.0), plate=partial(data, dim=-2))
    return p, partial(guide, q_z=lambda x: normal(x[:, None]), plate=partial(data, dim=-2))


@mistake(r"expected 1 entries of model site 'x' in the .* -1, .* plate 'one', got 3; reshape")
def data_of_another_size_than_their_plate():
    def p(x):
        with pyro.plate("one", 1, dim=-1):
            pyro.sample("x", dist.Normal(0.0, 1.0), obs=x[0])

    return p, lambda x: None


@mistake(r"event shape \(3,\) at model site 'x', got the shape \(4, 1\) .*broadcast.*; reshape")
def an_observation_that_would_be_broadcast():
    return lambda x: model(x[:, :1]), guide


@mistake(r"value of batch shape \(4,\) .* at model site 'x', got the shape \(2, 3\).*; reshape")
def a_batch_of_another_size_than_the_parameters():
    return lambda x: model(x[:2]), guide


# Factors, scales and masks.


@mistake("factor 'f' does not say .* add has_rsample=True if it does, else has_rsample=False")
def a_factor_that_leaves_open_whether_it_is_reparameterised():
    return model, partial(guide, more=lambda z: pyro.factor("f", z.sum(-1)))


@mistake("factor 'f' has has_rsample=False but .* draw 'z', .* write has_rsample=True")
def a_factor_that_denies_that_it_is_reparameterised():
    log_factor = partial(pyro.factor, has_rsample=False)
    return model, partial(guide, q_z=trained, more=lambda z: log_factor("f", z.sum(-1)))


@mistake("site 'z' is scaled by .* in the model but by .*; put the same poutine.scale around both")
def a_scale_of_the_prior_alone():
    def p(x):
        with data():
            with poutine.scale(scale=0.5):
                z = pyro.sample("z", normal(ORIGIN))
            pyro.sample("x", normal(z), obs=x)

    return p, guide


@mistake("site 'y_unobserved' is masked in other .*; put the same poutine.mask around both")
def a_mask_of_the_prior_alone():
    return partially_observed(X[:, 0], X[:, 0] > 0.5, masked=False)


# Enumeration.


@mistake("guide site 'z' is marked for enumeration, but .* does not list its values; drop 'en")
def a_normal_to_be_enumerated():
    def q(x):
        with data():
            pyro.sample("z", normal(x), infer={"enumerate": "parallel"})

    return model, q


@mistake("model site 'w' is marked for enumeration, but .*; .* distribution with fin")
def a_normal_to_be_enumerated_in_the_model():
    return partial(model, more=more_draws(dist.Normal(0.0, 1.0), enumerate="sequential")), guide


def decode_labels(y, z):
    return y + 0 * z


@mistake("site 'x' depends on the enumerated label 'y' but lies outside its plate .* give each")
def a_decoder_of_all_labels_of_a_plate():
    return partial(labelled, decode=decode_labels), labelling


@mistake("'x' depends on the enumerated label 'y'", objective=TraceEnum_ELBO(max_plate_nesting=2))
def a_decoder_of_all_labels_under_pyros_objective():
    return partial(labelled, decode=decode_labels), config_enumerate(labelling)


@mistake("'x' depends on the enumerated label 'y'", objective=LabelELBO())
def a_decoder_of_all_labels_under_an_objective():
    return partial(labelled, decode=decode_labels), labelling


@mistake("the labels have 2048 settings together, of which at most 1024 .* choose fewer labels")
def more_settings_than_can_be_summed():
    return partial(many_labels, count=11), partial(many_labels, count=11)


@mistake(
    "labels cannot be summed over: RuntimeError.*more dimensions to the left, or name an objective"
)
def a_model_that_takes_no_enumerated_labels():
    return partial(labelled, decode=lambda y, z: z + 0 * y.view(ROWS, WIDTH)), labelling


# Numbers that are not finite.


def in_row(row, number):
    return torch.zeros(ROWS, 1).index_fill(0, torch.tensor(row), number)


@mistake("guide site 'z', got NaN .* parameter 'loc' in 4 of 4 rows.*network .* to the weights")
def nan_weights():
    return model, partial(guide, q_z=lambda x: normal(x + math.nan))


@mistake("guide site 'z', got NaN .* 'loc' in 1 of 4 rows, .* row 2; .* to those rows of the batch")
def a_nan_in_one_row():
    return model, partial(guide, q_z=lambda x: normal(x + in_row(2, math.nan)))


@mistake("guide site 'w', got NaN .* 'logits' in 2 of 4 rows, the first of them row 1; follow")
def probabilities_from_which_nothing_can_be_drawn():
    logits = in_row([1, 3], math.nan)[:, 0]
    return model, partial(
        guide, more=lambda z: pyro.sample("w", dist.Bernoulli(logits=logits + 0 * z[..., 0]))
    )


@mistake("model site 'x', got NaN or infinity in its parameter 'loc' in 1 of 4 rows, .* row 3")
def a_decoder_that_overflows():
    return partial(model, p_x=lambda z: normal(z + in_row(3, math.inf))), guide


@mistake("guide site 'z', got NaN or infinity in its parameter 'scale' in 1 of 1 entries; follow")
def a_parameter_that_belongs_to_no_row():
    q = lambda: pyro.sample("z", dist.Normal(0.0, math.nan))  # noqa: E731
    return lambda x: q(), lambda x: q()


@mistake("guide site 'z', got NaN or infinity in its drawn value in .* rows, .*; bound the param")
def a_draw_that_overflows():
    p_z = dist.LogNormal(ORIGIN, 1.0).to_event(1)
    return partial(model, p_z=lambda: p_z), partial(
        guide, q_z=lambda x: dist.LogNormal(x + in_row(0, 200.0), 1.0).to_event(1)
    )


@mistake(r"model site 'x', got NaN .* observed value in 1 of 4 rows, .* row 1; clean .*obs_mask=")
def a_nan_among_the_data():
    return lambda x: model(x + in_row(1, math.nan)), guide


@mistake(r"'y_observed', got NaN .* observed value in 1 of 4 rows, .* row 1; .*y.nan_to_num\(\)")
def a_nan_behind_a_mask():
    y = in_row(1, math.nan)[:, 0]
    return partially_observed(y, ~y.isnan())


@mistake("numbers from -1 to 0.55 at model site 'x', got 0.6 in 2 of 4 rows, .* row 2; clean the")
def data_outside_the_support():
    p = partial(model, p_x=lambda z: dist.Uniform(-1 + 0 * z, 0.55).to_event(1))
    return p, guide


@mistake("of LabelELBO, got NaN .* 'odd' in 1 of 4 rows, .* 2; look", objective=LabelELBO(odd=True))
def a_term_that_is_not_finite():
    return labelled, labelling


# Failures.


@mistake("the model failed after its site 'z' with RuntimeError: oh no!; correct what it computes")
def a_model_that_fails():
    def fail(z):
        raise RuntimeError("oh\n no!")

    return partial(model, p_x=fail), guide


@mistake("the guide failed before its first site with TypeError: .* or what it is called with")
def a_guide_with_other_arguments():
    return model, lambda x, y: guide(x)


@mistake(r"site 'z' has .* event shape \(3,\) in the model but .* \(2,\) in the guide; make them")
def a_model_that_fails_on_a_draw_of_another_shape():
    weights = torch.ones(WIDTH, WIDTH)
    p = partial(model, p_x=lambda z: normal(z @ weights))
    return p, partial(guide, q_z=lambda x: normal(x[:, :2]))


@mistake("needs a site .* choose an objective that fits", objective=CCVAEObjective())
def an_objective_for_other_programs():
    return model, guide


@mistake("objective Failing failed .* RuntimeError: no; choose one that", objective=Failing())
def an_objective_that_fails():
    return model, guide


@pytest.mark.parametrize(("make", "match", "options"), MISTAKES)
def test_a_mistake_is_named_with_its_remedy(make, match, options):
    programs = make()
    with pytest.raises(ValueError, match=match):
        check_pair(*programs, X, **options)


def test_an_error_of_a_program_keeps_its_cause():
    def fail(z):
        raise RuntimeError("oh no")

    with pytest.raises(ValueError, match="oh no") as caught:
        check_pair(partial(model, p_x=fail), guide, X)
    assert isinstance(caught.value.__cause__, RuntimeError)


# Pairs without a mistake.

PATTERNS = {"all": lambda y: y.nan_to_num(), "none": lambda y: y * math.nan, "mixed": lambda y: y}


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(
    ("program", "objective", "link"),
    [
        pytest.param(program, objective, link, id=f"{program}-{name}-{link}")
        for program, objectives in PROGRAMS.items()
        for name, objective in {"no objective": None, **objectives}.items()
        for link in (("probit", "logit") if program == "ccvae" else ("probit",))
    ],
)
def test_every_pair_of_the_suite_passes(make_pair, program, objective, link, pattern):
    pair = make_pair(link, program=program)
    x, y, *d = pair.args
    kwargs = pair.kwargs | {"objective": objective and objective()}
    check_pair(*pair.programs, x, PATTERNS[pattern](y), *d, **kwargs)


def constrained(x, obs_mask=None):
    """Two plates, constraints, a factor."""
    rate = pyro.sample("rate", dist.Gamma(2.0, 1.0))
    rows = pyro.plate("rows", ROWS, dim=-2)
    with rows:
        shift = pyro.sample("shift", dist.Normal(0.0, 1.0))
    with rows, labels():
        z = pyro.sample("z", dist.LogNormal(shift, rate))
        pyro.factor("penalty", -z)
        pyro.sample("x", dist.Normal(z, 1.0), obs=x, obs_mask=obs_mask)


def partly_missing(x):
    """The same with missing data."""
    constrained(x, x > 0.2)


def loop(x, observed=True):
    """A plate that is run through, its sites in another one."""
    rows = pyro.plate("rows", ROWS)
    for i in pyro.plate("loop", WIDTH):
        with rows:
            z = pyro.sample(f"z_{i}", dist.Normal(x[:, i], 1.0))
            if observed:
                pyro.sample(f"x_{i}", dist.Normal(z, 1.0), obs=x[:, i])


def sampled_rows(x):
    """A batch of Pyro's own choice."""
    with pyro.plate("rows", ROWS, subsample_size=2, dim=-1) as chosen:
        z = pyro.sample("z", normal(ORIGIN))
        pyro.sample("x", normal(z), obs=x[chosen])


def sampled_rows_guide(x):
    loc = pyro.param("loc", x)
    with pyro.plate("rows", ROWS, subsample_size=2, dim=-1) as chosen:
        pyro.sample("z", normal(loc[chosen]))


def mixture(x):
    """Labels that Pyro sums out in the model."""
    with data():
        y = pyro.sample("y", dist.Bernoulli(torch.tensor(0.3)), infer={"enumerate": "parallel"})
        z = pyro.sample("z", normal(ORIGIN))
        pyro.sample("x", normal(z + y[..., None]), obs=x)


def series(x):
    logits = torch.zeros(2, 2)
    hmm = dist.DiscreteHMM(logits[0], logits, dist.Normal(torch.tensor([0.0, 1.0]), 1.0))
    with pyro.plate("rows", ROWS, dim=-1):
        pyro.sample("x", hmm, obs=x)


def unsized(x):
    """A plate without a size, in which nothing is drawn."""
    z = pyro.sample("z", normal(ORIGIN))
    with pyro.plate("rows"):
        pyro.sample("x", normal(z), obs=x)


def nothing(x):
    pass


def log_joint(z):
    return z.sum(-1)


def weighed(z):
    pyro.factor("f", log_joint(z), has_rsample=True)


def counted(z):
    y = pyro.sample("y", dist.Bernoulli(torch.full((ROWS,), 0.5)), infer={"is_auxiliary": True})
    pyro.factor("f", y * torch.zeros((), requires_grad=True), has_rsample=False)


def both_scaled(program):
    return poutine.scale(program, scale=0.5)


PASSES = {
    "functions": (model, guide),
    "partly observed": partially_observed(X[:, 0], X[:, 0] > 0.5),
    "handlers": (both_scaled(model), both_scaled(guide)),
    "a factor of draws": (model, partial(guide, q_z=trained, more=weighed)),
    "a factor of labels": (model, partial(guide, q_z=trained, more=counted)),
    "labels": (labelled, labelling),
    "a loop": (loop, partial(loop, observed=False)),
    "subsampling": (sampled_rows, sampled_rows_guide),
    "no latent site": (series, nothing),
    "a plate of data alone": (unsized, partial(guide, q_z=lambda x: normal(x[0]), plate=no_plate)),
    "a missing support": (partial(model, p_x=lambda z: Implicit(z)), guide),
}


class Implicit(dist.TorchDistribution):
    """A distribution that states nothing about itself."""

    has_rsample = True

    def __init__(self, loc):
        self.loc = loc
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=False)

    def expand(self, batch_shape, _instance=None):
        return Implicit(self.loc.expand(*batch_shape, *self.event_shape))

    def log_prob(self, value):
        return -(value - self.loc).square().sum(-1)


def own_rows(x):
    """Rows that each run draws for itself, in the model and hence in its guide."""
    with pyro.plate("data", ROWS, subsample_size=2) as index:
        z = pyro.sample("z", normal(ORIGIN))
        pyro.sample("x", normal(z), obs=x[index])


def own_rows_guide(x):
    with pyro.plate("data", ROWS, subsample_size=2) as index:
        pyro.sample("z", normal(x[index]))


def scoped(x, observed=True):
    with scope(prefix="inner"):
        z = pyro.sample("z", normal(ORIGIN))
    if observed:
        with pyro.plate("rows", ROWS):
            pyro.sample("x", normal(z), obs=x)


def unsized_apart(x, observed=True):
    """A plate without a size, in which every row has a draw of its own."""
    with pyro.plate("rows"):
        z = pyro.sample("z", normal(x))
        if observed:
            pyro.sample("x", normal(z), obs=x)


def constant(x):
    """One number observed in every row."""
    z = pyro.sample("z", normal(ORIGIN))
    with pyro.plate("rows", ROWS):
        pyro.sample("x", normal(z), obs=torch.tensor(0.5))


def classifying(x):
    """A classifier's loss on a draw that it does not reach (Xu et al. 2021)."""
    guide(x, more=lambda z: pyro.factor("loss", LAYER(z.detach())[:, 0], has_rsample=False))


LAYER = nn.Linear(WIDTH, 1).requires_grad_(False)

PASSES |= {
    "rows drawn by both": (own_rows, own_rows_guide),
    "a scope": (scoped, partial(scoped, observed=False)),
    "rows apart in a plate without a size": (unsized_apart, partial(unsized_apart, observed=False)),
    "one number observed everywhere": (constant, lambda x: pyro.sample("z", normal(ORIGIN))),
    "a factor of a detached draw": (model, classifying),
}


@pytest.mark.parametrize("programs", PASSES.values(), ids=PASSES)
def test_a_pair_of_functions_passes(programs):
    check_pair(*programs, X)


@pytest.mark.parametrize("autoguide", [AutoDelta, AutoDiagonalNormal, AutoIAFNormal, AutoNormal])
def test_pyros_guides_pass(autoguide):
    check_pair(constrained, autoguide(constrained), X, objective=Trace_ELBO())


@pytest.mark.parametrize("autoguide", [AutoDiagonalNormal, AutoIAFNormal, AutoNormal])
def test_entropy_behind_the_models_mask_is_refused(autoguide):
    """Nothing pulls there at the guide's scale, and the bound rises without end with it."""
    check_pair(partly_missing, AutoDelta(partly_missing), X, objective=Trace_ELBO())
    with pytest.raises(ValueError, match=r"all entries of 'x_unobserved', .* hides some"):
        check_pair(partly_missing, autoguide(partly_missing), X)


@pytest.mark.parametrize("objective", [RenyiELBO, Trace_ELBO, TraceMeanField_ELBO])
def test_pyros_objectives_pass_and_stay_as_they_are(objective):
    objective = objective()
    rows = partial(data, size=ROWS)
    check_pair(partial(model, plate=rows), partial(guide, plate=rows), X, objective=objective)
    assert objective.max_plate_nesting == math.inf


@pytest.mark.filterwarnings("ignore:.*possibly invalid dependency")
def test_labels_that_pyro_sums_out_pass():
    check_pair(mixture, guide, X, objective=TraceEnum_ELBO(max_plate_nesting=1))
    check_pair(labelled, config_enumerate(labelling), X, objective=TraceEnum_ELBO())


class OneWay(ELBO):
    """An objective that is run as a module alone."""

    def _get_trace(self, *_):
        raise NotImplementedError

    def differentiable_loss(self, model, guide, *args):
        return torch.tensor(0.0 if self.num_particles == 1 else math.inf)


def test_an_objective_with_one_way_to_its_loss_passes():
    check_pair(model, guide, X, objective=OneWay())
    with pytest.raises(ValueError, match="terms of OneWay, got NaN or infinity in 'loss'; look at"):
        check_pair(model, guide, X, objective=OneWay(num_particles=2))


def test_labels_that_the_objective_samples_are_not_summed_over():
    p, q = partial(labelled, decode=decode_labels), labelling
    check_pair(p, q, X, objective=LabelELBO(sampled=True))
    many = partial(many_labels, count=11)
    check_pair(many, many, X, objective=Trace_ELBO())


@pytest.mark.parametrize("autoguide", [AutoNormal, AutoNormalMessenger])
def test_a_guide_that_builds_itself_is_taken_down_again(autoguide):
    """Its parameters belong to the batch that trains, and not to the one that was checked."""
    made = autoguide(constrained)
    check_pair(constrained, made, X)
    assert not list(made.named_parameters())
    check_pair(constrained, made, X, objective=Trace_ELBO())


def test_a_guide_that_draws_its_own_rows_is_refused():
    """The model takes its rows from outside, and would meet the data of others."""
    with pytest.raises(ValueError, match=r"own rows of the plate 'data', .* create_plates=lambda"):
        check_pair(model, AutoNormal(model), X)
    made = AutoNormal(model, create_plates=lambda x: data())
    check_pair(model, made, X)


@pytest.mark.parametrize(
    ("value", "p_x", "message"),
    [
        (torch.tensor([0, 1, 1, 0]), lambda z: dist.Bernoulli(logits=z[:, 0]), "got torch.int64; "),
        (
            torch.tensor([0.0, 255, 1, 0]),
            lambda z: dist.Bernoulli(logits=z[:, 0]),
            "0 to 1 .* 255 ",
        ),
        (torch.tensor([0, 1, 3, 0]), lambda z: dist.Categorical(logits=z), "0 to 2 .* got 3 in 1"),
        (torch.ones(ROWS, 2, 2), lambda z: dist.Normal(torch.zeros(ROWS, 2, 2), 1.0), "right part"),
    ],
    ids=["type", "range", "classes", "shape"],
)
def test_advice_fits_what_is_wrong_with_an_observation(value, p_x, message):
    with pytest.raises(ValueError, match=message):
        check_pair(lambda x: model(value, p_x=p_x), guide, X)


@pytest.mark.parametrize(
    ("made", "objective", "message"),
    [
        (
            (mixture, guide),
            Trace_ELBO(),
            "marked for enumeration and the guide lacks it",
        ),
        ((model, guide), RenyiELBO(), "all 10 rows of the plate 'data' under RenyiELBO, got 4"),
        (
            (model, partial(guide, q_z=lambda x: normal(NETWORK(x)))),
            Trace_ELBO(),
            "network Linear, .* not train",
        ),
    ],
    ids=["sums", "a power", "an unknown network"],
)
def test_what_an_objective_asks_of_a_pair(made, objective, message):
    with pytest.raises(ValueError, match=message):
        check_pair(*made, X, objective=objective)


NETWORK = nn.Linear(WIDTH, WIDTH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x, torch.eye(4)[y[:, 0].long()]), r"floats of shape \(rows, 2\)"),
        (lambda x, y: (255 * x, y), "numbers from 0 to 1 at model site 'x'"),
        (lambda x, y: (x, y.nan_to_num(-1) - 1), "has the code -"),
        (lambda x, y: (x, y.nan_to_num().long()), "got torch.int64"),
        (lambda x, y: (x, None), "got NoneType; give torch.full"),
        (
            lambda x, y: (x[..., :8, :8], y),
            r"images of shape \(rows, 1, 28, 28\)",
        ),
    ],
    ids=["one-hot", "0..255", "-1", "integers", "None", "small"],
)
def test_batches_that_the_suites_programs_are_not_called_with(change, message):
    model, guide, args, kwargs = suite("ccvae", "cpu")
    model.likelihood = Bernoulli()
    x, y = change(torch.rand(ROWS, 1, 28, 28), torch.tensor([[0.0, 1.0]]).repeat(ROWS, 1))
    with pytest.raises(ValueError, match=message):
        check_pair(model, guide, x, y, *args[2:], **kwargs)


# Devices.

all_objectives = pytest.mark.parametrize(
    ("program", "objective"),
    [(program, made) for program, named in PROGRAMS.items() for made in (None, *named.values())],
)


def suite(program, device):
    space = LabelSpace([Binary("a"), Categorical("hair", ("x", "y", "z"))])
    model, guide = build_pair(Config(program=program, style=2), space, (1, 28, 28), domains=3)
    args = torch.zeros(ROWS, 1, 28, 28), torch.zeros(ROWS, 2), torch.zeros(ROWS, dtype=torch.long)
    kwargs = {"index": torch.arange(ROWS).to(device), "size": 50}
    return model.to(device), guide.to(device), [arg.to(device) for arg in args], kwargs


@all_objectives
def test_a_pair_without_numbers_passes(program, objective):
    model, guide, args, kwargs = suite(program, "meta")
    check_pair(model, guide, *args, objective=objective and objective(), **kwargs)


def test_pyros_objectives_are_not_run_without_numbers():
    model, guide, args, kwargs = suite("vae", "meta")
    check_pair(model, guide, *args, objective=Trace_ELBO(), **kwargs)


def test_a_mistake_is_found_without_numbers():
    model, _, args, kwargs = suite("vae", "meta")
    with pytest.raises(ValueError, match="model site 'z' is latent but the guide has no site"):
        check_pair(model, lambda *_, **__: None, *args, **kwargs)


@pytest.mark.parametrize(
    ("move", "name"),
    [
        (lambda model, *_: model.decoder.to_empty(device="cpu"), "model parameter 'decoder"),
        (lambda _, guide, *__: guide.encoder.to_empty(device="cpu"), "guide parameter 'encoder"),
        (lambda model, *_: model.register_buffer("b", torch.zeros(1)), "model buffer 'b'"),
        (lambda *to: to[2].__setitem__(1, torch.zeros(ROWS, 2)), r"args\[1\]"),
        (lambda *to: to[2].append({"d": [torch.zeros(1)]}), r"args\[3\]\['d'\]\[0\]"),
        (lambda *to: to[3].update(index=torch.arange(ROWS)), r"kwargs\['index'\]"),
    ],
)
def test_a_tensor_on_another_device_is_named(move, name):
    model, guide, args, kwargs = suite("ccvae", "meta")
    model.register_buffer("a", torch.zeros(1, device="meta"))
    move(model, guide, args, kwargs)
    with pytest.raises(ValueError, match=f"got {name}.* on cpu; move .*to.'meta'"):
        check_pair(model, guide, *args, **kwargs)


# Traces that a check does not leave.


class Normalised(nn.Module):
    """Both programs, with running statistics, and a buffer that each run replaces."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(WIDTH)
        self.register_buffer("runs", torch.zeros(()))

    def model(self, x):
        self.runs = self.runs + 1
        model(self.norm(x))

    def guide(self, x):
        scale = pyro.param("scale", torch.ones(WIDTH), constraint=constraints.positive)
        noise = random.random() + np.random.rand()
        guide(x, q_z=lambda x: dist.Normal(self.norm(x) + noise, scale).to_event(1))


def programs_of(module):
    return {
        "methods": (module.model, module.guide),
        "functions": (lambda x: module.model(x), lambda x: module.guide(x)),
        "partials": (partial(Normalised.model, module), partial(Normalised.guide, module)),
        "handlers": (both_scaled(module.model), both_scaled(module.guide)),
    }


def state_of(module):
    numbers = [b.clone() for b in module.buffers()]
    return [*numbers, torch.get_rng_state(), torch.tensor([random.getstate()[1][-1]])]


@pytest.mark.parametrize("kind", programs_of(Normalised()))
def test_a_check_leaves_no_trace(kind):
    module = Normalised().requires_grad_(False)  # for nothing here would train it
    runs = module.runs
    numpy_state = np.random.get_state()[2]
    before = state_of(module)
    with poutine.trace() as outside:
        check_pair(*programs_of(module)[kind], X, objective=Trace_ELBO())
    torch.testing.assert_close(state_of(module), before, rtol=0, atol=0)
    assert module.runs is runs
    assert module.training
    assert np.random.get_state()[2] == numpy_state
    assert len(pyro.get_param_store()) == 0
    assert all(p.grad is None for p in module.parameters())
    assert not outside.trace.nodes


def test_a_check_that_fails_leaves_no_trace():
    module = Normalised()
    before = state_of(module)
    with pytest.raises(ValueError, match="the model failed"):
        check_pair(lambda x: module.model(x) or x.oh_no, module.guide, X)
    torch.testing.assert_close(state_of(module), before, rtol=0, atol=0)
    assert len(pyro.get_param_store()) == 0


def test_programs_see_the_parameters_of_the_store():
    scale = pyro.param("scale", torch.full((WIDTH,), 2.0), constraint=constraints.positive)
    with untouched():
        assert torch.equal(pyro.param("scale"), scale)
        pyro.param("other", torch.ones(()))
    assert list(pyro.get_param_store()) == ["scale"]
    assert pyro.param("scale").unconstrained() is scale.unconstrained()


def test_parameters_stay_linked_to_their_unconstrained_values():
    loc = pyro.param("loc", torch.zeros(()))
    with untouched():
        pass
    assert loc.unconstrained() is loc


def test_a_graph_made_before_survives():
    module = nn.Module()
    module.register_buffer("table", torch.ones(WIDTH))
    weight = torch.ones(WIDTH, requires_grad=True)
    loss = (weight * module.table).sum()
    with untouched(module):
        pass
    loss.backward()
    assert torch.equal(weight.grad, module.table)


def test_codes_where_one_hot_vectors_are_expected_are_told():
    def model(y):
        with pyro.plate("data", len(y)):
            z = pyro.sample("z", dist.Normal(0.0, 1.0))
            pyro.sample("y", dist.OneHotCategorical(logits=torch.stack([z, -z, z], -1)), obs=y)

    def guide(y):
        with pyro.plate("data", len(y)):
            pyro.sample("z", dist.Normal(0.0, 1.0))

    with pytest.raises(ValueError, match=r"expected .*OneHot.* at model site 'y', got 0"):
        check_pair(model, guide, torch.tensor([0, 1, 2]))


LEAF = torch.zeros(2, requires_grad=True)
LEAVES = [torch.zeros(2, requires_grad=True)]


class Holds(nn.Module):
    """A module with a tensor that is no parameter of it."""

    def __init__(self):
        super().__init__()
        self.bare = torch.zeros(2, requires_grad=True)
        self.known = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        normal_guide(x, self.bare + self.known)


def normal_guide(x, loc):
    with pyro.plate("data", len(x)):
        pyro.sample("z", dist.Normal(loc, 1.0).to_event(1))


def normal_model(x, shift=0.0):
    with pyro.plate("data", len(x)):
        z = pyro.sample("z", dist.Normal(torch.zeros(2), 1.0).to_event(1))
        pyro.sample("x", dist.Normal(z + shift, 1.0).to_event(1), obs=x)


def stored_guide(x):
    normal_guide(x, pyro.param("loc", torch.zeros(2)))


@pytest.mark.parametrize(
    ("model", "guide", "words"),
    [
        (normal_model, lambda x: normal_guide(x, LEAF), "guide site 'z' .* the tensor 'LEAF'"),
        (normal_model, lambda x: normal_guide(x, LEAVES[0]), r"guide .* a tensor of shape \(2,\)"),
        (normal_model, Holds(), "guide site 'z' .* the tensor 'bare'"),
        (lambda x: normal_model(x, LEAF), stored_guide, "model site 'x' .* the tensor 'LEAF'"),
    ],
)
@pytest.mark.parametrize("objective", [None, Trace_ELBO()])
def test_numbers_that_nothing_would_train_are_named(model, guide, words, objective):
    with pytest.raises(
        ValueError, match=f"{words}.* nothing would train it; give it by pyro.param"
    ):
        check_pair(model, guide, torch.randn(5, 2), objective=objective)


@pytest.mark.parametrize(
    "guide",
    [
        stored_guide,
        lambda x: normal_guide(x, LEAF.detach()),
        lambda x: normal_guide(x, torch.zeros(2, requires_grad=True)),  # of the run alone
        AutoNormal(normal_model),
    ],
)
def test_numbers_that_are_trained_or_are_to_stay_pass(guide):
    check_pair(normal_model, guide, torch.randn(5, 2, requires_grad=True), objective=Trace_ELBO())
