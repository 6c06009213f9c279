"""Interventions on programs, beside densities computed by hand."""

import itertools

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro import poutine

from ccvae.config import Config
from ccvae.data.spec import load
from ccvae.inference.catalogue import build_pair
from ccvae.inspection.example import example_batch
from ccvae.models import do

HALVES = ("observed", "unobserved")


@pytest.fixture(scope="module")
def faces():
    return load("faces:16", "Smiling,Eyeglasses,Hair")


@pytest.fixture(scope="module")
def batch(faces):
    return example_batch(faces, "some")


def built(faces, program):
    config = Config(program=program, network="mlp", style=2)
    torch.manual_seed(0)
    model, _ = build_pair(config, faces.space, faces.shape, None, faces.domain_count)
    return model


def traced(program, batch):
    torch.manual_seed(1)
    return poutine.trace(program).get_trace(*batch.args, **batch.kwargs)


def totals(trace):
    trace.compute_log_prob()
    return {
        name: site["log_prob_sum"]
        for name, site in trace.nodes.items()
        if site["type"] == "sample" and not site["name"].startswith("data")
    }


@pytest.mark.parametrize(("label", "site", "column"), [("Smiling", "y", 0), ("Hair", "y_5", 0)])
def test_one_label_is_set_and_no_other(faces, batch, label, site, column):
    """What comes after sees the label set; its density is that of all others."""
    model = built(faces, "ccvae")
    trace = traced(do(model, {f"y[{label}]": 1}), batch)
    plain = traced(model, batch)
    value, before = trace.nodes[site]["value"], plain.nodes[site]["value"]
    assert (value[:, column] == 1).all()
    others = [i for i in range(value.shape[1]) if i != column]
    assert torch.equal(value[:, others], before[:, others])
    after = totals(trace)
    suffix = site.removeprefix("y")
    kind = next(kind for kind in faces.space.kinds if kind.suffix == suffix)
    y = kind.of(batch.y)
    for part, mask in (("observed", ~y.isnan()), ("unobserved", y.isnan())):
        kept = mask.clone()
        kept[:, column] = False
        drawn = trace.nodes[f"{site}_{part}"]["value"]
        log_p = plain.nodes[f"{site}_{part}"]["fn"].log_prob(drawn)
        torch.testing.assert_close(after[f"{site}_{part}"], log_p[kept].sum() * (13 / 6))
    prior = model.prior[faces.space.kinds.index(kind)](value)
    torch.testing.assert_close(
        after[f"z_c{suffix}"],
        prior.log_prob(trace.nodes[f"z_c{suffix}"]["value"]).sum() * (13 / 6),
    )


def test_several_labels_and_classes_by_name(faces, batch):
    settings = {"y[Smiling]": True, "y[Eyeglasses]": "no"}
    settings["y[Hair]"] = list(faces.space)[2].classes[3]
    trace = traced(do(built(faces, "ccvae"), settings), batch)
    assert trace.nodes["y"]["value"].tolist() == [[1.0, 0.0]] * 6
    assert trace.nodes["y_5"]["value"].tolist() == [[3.0]] * 6
    assert all(totals(trace)[f"{s}_{half}"] == 0 for s in ("y", "y_5") for half in HALVES)


def test_a_value_for_every_row_and_a_block(faces, batch):
    rows = torch.tensor([0.0, 1, 0, 1, 0, 1])
    block = torch.arange(24.0).reshape(6, 4)
    program = do(built(faces, "ccvae"), {"y[Eyeglasses]": rows, "z_c[Hair]": block})
    trace = traced(program, batch)
    assert torch.equal(trace.nodes["y"]["value"][:, 1], rows)
    assert torch.equal(trace.nodes["z_c_5"]["value"][:, 0], block)
    assert totals(trace)["z_c_5"] == 0


def test_labels_of_one_event(faces, batch):
    """M2's labels are one event: the others keep their density, and the decoder sees the set."""
    model = built(faces, "m2")
    trace = traced(do(model, {"y[Hair]": 2, "y[Smiling]": 1}), batch)
    for half in HALVES:
        value = trace.nodes[f"y_{half}"]["value"]
        assert (value[..., 2] == 2).all()
        assert (value[..., 0] == 1).all()
    eyeglasses = torch.log(torch.tensor(0.5)).item()
    known = (~batch.y[:, 1].isnan()).sum() * eyeglasses * (13 / 6)
    assert totals(trace)["y_observed"].item() == pytest.approx(known.item())


def test_diva(faces, batch):
    trace = traced(do(built(faces, "diva"), {"d": 0, "y[Smiling]": 1}), batch)
    assert (trace.nodes["d"]["value"] == 0).all()
    assert totals(trace)["d_observed"] == totals(trace)["d_unobserved"] == 0


def confounded(y=None):
    """z → x, z → y, x → y: what happens to y when x is set is not what is seen with x."""
    z = pyro.sample("z", dist.Bernoulli(torch.tensor(0.3, dtype=torch.float64)))
    x = pyro.sample("x", dist.Bernoulli(0.1 + 0.7 * z))
    return pyro.sample("y", dist.Bernoulli(0.2 + 0.3 * x + 0.4 * z), obs=y)


def probability(program, values):
    values = {name: torch.tensor(v, dtype=torch.float64) for name, v in values.items()}
    return poutine.trace(poutine.condition(program, values)).get_trace().log_prob_sum().exp()


def test_the_backdoor_adjustment():
    """P(y | do(x)) = Σ_z P(y | x, z) P(z), summed over the program's own density."""
    for x, y in itertools.product((0.0, 1.0), repeat=2):
        done = sum(
            probability(do(confounded, {"x": x}), {"z": z, "y": y, "x": x}) for z in (0.0, 1.0)
        )
        one = sum(p * (0.2 + 0.3 * x + 0.4 * z) for z, p in ((0, 0.7), (1, 0.3)))
        assert done.item() == pytest.approx(one if y else 1 - one, abs=1e-12)
        seen = sum(probability(confounded, {"z": z, "x": x, "y": y}) for z in (0.0, 1.0))
        seen = seen / sum(
            probability(confounded, {"z": z, "x": x, "y": other})
            for z, other in itertools.product((0.0, 1.0), repeat=2)
        )
        assert abs(seen - done) > 0.01


def test_it_holds_under_replay():
    """A value that is replayed reaches the program only as it is set."""
    trace = poutine.trace(confounded).get_trace()
    trace.nodes["x"]["value"] = torch.tensor(0.0, dtype=torch.float64)
    seen = []

    def program():
        seen.append(pyro.sample("x", dist.Bernoulli(torch.tensor(0.5, dtype=torch.float64))))

    poutine.replay(do(program, {"x": 1.0}), trace=trace)()
    assert seen == [1.0]


def test_particles_around_it_draw_anew():
    def program():
        with pyro.plate("i", 3, dim=-1):
            return pyro.sample("z", dist.Normal(torch.zeros(3), 1.0))

    with pyro.plate("particles", 5, dim=-2):
        value = poutine.trace(do(program, {"z[2]": 7.0})).get_trace().nodes["z"]["value"]
    assert value.shape == (5, 3)
    assert (value[:, 1] == 7).all()
    assert len(value[:, 0].unique()) == 5


def test_entries_of_an_event():
    def program():
        return pyro.sample("z", dist.Normal(torch.zeros(3), 1.0).to_event(1))

    trace = poutine.trace(do(program, {"z[3]": 2.0})).get_trace()
    value = trace.nodes["z"]["value"]
    assert value[2] == 2
    expected = dist.Normal(0.0, 1.0).log_prob(value[:2]).sum()
    torch.testing.assert_close(trace.log_prob_sum(), expected)


def test_gradients_reach_what_is_set():
    scale = torch.tensor(2.0, requires_grad=True)

    def program():
        with pyro.plate("i", 2):
            z = pyro.sample("z", dist.Normal(torch.zeros(2), 1.0))
        return pyro.sample("x", dist.Normal(z.sum(), 1.0), obs=torch.tensor(0.0))

    trace = poutine.trace(do(program, {"z[1]": scale})).get_trace()
    trace.nodes["x"]["fn"].log_prob(torch.tensor(0.0)).backward()
    assert scale.grad is not None


def test_cells_that_are_not_set_are_still_enumerated():
    p = torch.tensor([0.2, 0.3, 0.4], dtype=torch.float64)

    def program():
        with pyro.plate("i", 3, dim=-1):
            y = pyro.sample("y", dist.Bernoulli(p), infer={"enumerate": "parallel"})
            pyro.sample("x", dist.Bernoulli(0.1 + 0.5 * y), obs=torch.ones(3, dtype=p.dtype))

    def nothing():
        pass

    bound = pyro.infer.TraceEnum_ELBO(max_plate_nesting=1)
    expected = (0.1 + 0.5 * p[[0, 2]]).log().sum() + torch.tensor(0.6).log()
    loss = bound.loss(do(program, {"y[2]": 1.0}), nothing)
    assert -loss == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"y[Smilling]": 1}, "unknown label 'Smilling'; this data set has Smiling"),
        ({"y[Hair]": "Green"}, "Hair has no class 'Green'; choose one of"),
        ({"w": 1}, "the program has no site for w"),
        ({"z_style": "big"}, "'z_style': expected a number, got 'big'"),
        ({"y[Smiling]": torch.ones(4)}, r"'y\[Smiling\]': expected a number or one for each of"),
        ({"y[3]": 1}, "the site has the cells 1 to 2"),
    ],
)
def test_settings_that_do_not_fit(faces, batch, settings, message):
    with pytest.raises(ValueError, match=message):
        traced(do(built(faces, "ccvae"), settings), batch)


def test_entries_that_depend_on_each_other_are_not_set_apart():
    def program():
        return pyro.sample("z", dist.MultivariateNormal(torch.zeros(2), torch.eye(2)))

    with pytest.raises(ValueError, match="the entries of MultivariateNormal depend on each other"):
        poutine.trace(do(program, {"z[1]": 0.0})).get_trace()
    assert poutine.trace(do(program, {"z": 0.0})).get_trace().nodes["z"]["value"].tolist() == [0, 0]


def test_a_program_without_labels():
    with pytest.raises(ValueError, match="names a label, but the program has no label space"):
        do(confounded, {"x[Smiling]": 1})
