"""Programs as their authors write them: structure in place of names, what leaves torch, guides."""

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro import poutine
from pyro.infer.autoguide import (
    AutoDelta,
    AutoDiagonalNormal,
    AutoMultivariateNormal,
    AutoNormal,
    AutoNormalMessenger,
    AutoStructured,
)
from pyro.infer.reparam import LocScaleReparam

from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.inspection import guide_density, inspect_pair, joint, record

ROWS = 4
X = torch.linspace(-1.0, 1.0, ROWS)


def edges(graph, side="p"):
    return {(e.parent, e.child) for e in graph.edges if e.side == side}


def arrows(text):
    return {tuple(arrow.split(">")) for arrow in text.split()}


def plain(x):
    with pyro.plate("data", len(x)):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(z, 1.0), obs=x)


# Names and structure.


def named_like_labels(x):
    loc, scale = (
        pyro.sample("y_loc", dist.Normal(0.0, 1.0)),
        pyro.sample("y_scale", dist.Gamma(2, 2)),
    )
    with pyro.plate("labels_of_mine", len(x)):
        pyro.sample("z_c_1", dist.Normal(loc, scale), obs=x)


def test_names_alone_merge_nothing():
    graph = inspect_pair(named_like_labels, None, X).graph
    assert edges(graph) == arrows("y_loc>z_c_1 y_scale>z_c_1")
    assert graph.nodes["z_c_1"].plates == ("labels_of_mine",)


def test_a_declared_space_merges_its_kinds():
    space = LabelSpace([Binary("a"), Categorical("b", ("x", "y", "z"))])

    def model():
        for kind in space.kinds:
            with pyro.plate(f"labels{kind.suffix}", len(kind)):
                pyro.sample(f"y{kind.suffix}", dist.Categorical(torch.ones(kind.classes)))

    graph = inspect_pair(model, None).graph
    assert list(graph.nodes) == ["y"]
    assert graph.plates["labels"].sizes == (1, 1)


def partly(x, known):
    with pyro.plate("data", len(x)):
        c = pyro.sample("c", dist.Normal(0.0, 1.0), obs=x, obs_mask=known)
        pyro.sample("d", dist.Normal(c, 1.0), obs=x + 1)


def halves(x):
    with pyro.plate("data", len(x)):
        a = pyro.sample("a_observed", dist.Normal(0.0, 1.0), obs=x)
        pyro.sample("a_unobserved", dist.Normal(a, 1.0))


def test_halves_are_what_obs_mask_makes():
    """And a mask is no cause of what it masks."""
    graph = inspect_pair(partly, None, X, X > 0).graph
    assert edges(graph) == arrows("c>d")
    assert graph.nodes["c"].role == "partly observed"
    assert edges(inspect_pair(halves, None, X).graph) == arrows("a_observed>a_unobserved")


def test_an_argument_goes_by_the_models_name():
    def guide(images):
        with pyro.plate("data", len(images)):
            pyro.sample("z", dist.Normal(images, 1.0))

    assert guide_density(inspect_pair(plain, guide, X).graph) == "q(z|x)"


def test_what_only_chooses_among_data_is_an_input():
    def model(x, y):
        with pyro.plate("data", ROWS):
            z = pyro.sample("z", dist.Normal(x.mean(-1), 1.0))
            pyro.sample("y", dist.Normal(z, 1.0), obs=y[x < 0])

    x = torch.tensor([[-1.0, 1.0]] * ROWS)
    assert joint(inspect_pair(model, None, x, -x).graph) == "p(y,z|x) = p(z|x) p(y|z)"


def test_series_of_data_are_told_apart_by_their_steps():
    def model(x):
        weight = pyro.sample("weight", dist.Normal(0.0, 1.0))
        for t in range(1, len(x)):
            pyro.sample(f"x_{t}", dist.Normal(weight * x[t - 1], 1.0), obs=x[t])

    assert edges(inspect_pair(model, None, X).graph) == arrows(
        "data_>x_1 weight>x_1 weight>x_2 weight>x_3 x_1>x_2 x_2>x_3".replace("data_", "x")
    )


# What leaves torch.


def by_if(x):
    k = pyro.sample("k", dist.Bernoulli(0.5))
    left, right = (pyro.sample(name, dist.Normal(0.0, 1.0)) for name in ("left", "right"))
    pyro.sample("x", dist.Normal(left if k else right, 1.0), obs=x[0])


def by_existence(x):
    k = pyro.sample("k", dist.Bernoulli(0.5))
    a = pyro.sample("a", dist.Normal(0.0, 1.0)) if k else pyro.sample("b", dist.Normal(0.0, 1.0))
    pyro.sample("x", dist.Normal(a, 1.0), obs=x[0])


def by_numpy(x):
    z = pyro.sample("z", dist.Normal(torch.zeros(2), 1.0).to_event(1))
    pyro.sample("x", dist.Normal(float(z.numpy().sum()), 1.0), obs=x[0])


def by_a_rare_class(x):
    k = pyro.sample("k", dist.Categorical(torch.tensor([0.98, 0.01, 0.01])))
    pyro.sample("x", dist.Normal(5.0 if int(k) == 2 else 0.0, 1.0), obs=x[0])


def geometric(x, t=0):
    if pyro.sample(f"go_{t}", dist.Bernoulli(0.9)) and t < 3:
        geometric(x, t + 1)


LEAVES = {
    by_if: "k>x left>x right>x",
    by_existence: "k>a k>b k>x a>x b>x",
    by_numpy: "z>x",
    by_a_rare_class: "k>x",
    geometric: "go_0>go_1 go_1>go_2 go_2>go_3",
}


@pytest.mark.parametrize("program", LEAVES, ids=lambda program: program.__name__)
def test_what_leaves_torch_is_found_by_drawing_it_anew(program):
    found = inspect_pair(program, None, X)
    assert edges(found.graph) == arrows(LEAVES[program])
    assert any("anew" in note for note in found.notes)


def test_arguments_in_numpy_are_found_by_exchanging_them():
    def model(design, x):
        weight = pyro.sample("weight", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(weight * float(design.sum()), 1.0), obs=torch.as_tensor(x))

    found = inspect_pair(model, None, X.numpy(), X.numpy()[0:1].sum())
    assert edges(found.graph) == arrows("weight>x design>x")


# Edges that are none.


def literally(x):
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    pyro.sample("x", dist.Normal(0 * z, torch.ones_like(z)), obs=x[0])


def by_a_tensor(x):
    z = pyro.sample("z", dist.Normal(torch.zeros(2), 1.0).to_event(1))
    pyro.sample("x", dist.Normal((torch.tensor([1.0, -1.0]) * z.sum()).sum(), 1.0), obs=x[0])


def test_a_product_with_nothing_is_no_cause():
    assert edges(inspect_pair(literally, None, X).graph) == set()
    assert inspect_pair(literally, None, X).notes == ()
    found = inspect_pair(by_a_tensor, None, X)
    assert edges(found.graph) == set()
    assert found.notes[0].startswith("Not drawn: x is computed from z, but ")


def test_a_zero_that_is_there_by_chance_takes_no_edge_away():
    """Of data, of a parameter, of the first step of a loop."""

    def model(x):
        w, v = (pyro.sample(name, dist.Normal(0.0, 1.0)) for name in "wv")
        slope = pyro.param("slope", torch.zeros(()))
        pyro.sample("x", dist.Normal(w * x.sum() + slope * v, 1.0), obs=torch.tensor(0.0))

    assert edges(inspect_pair(model, None, torch.zeros(3)).graph) == arrows("w>x v>x x_input>x")
    assert not list(pyro.get_param_store())


def test_a_rare_event_stays_a_cause():
    def model(x):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal((z > 30.0).float(), 1.0), obs=x[0])

    assert edges(inspect_pair(model, None, X).graph) == arrows("z>x")


def deterministic(x):
    z = pyro.sample("z", dist.Normal(0.0, 1.0))
    twice = pyro.deterministic("twice", 2 * z)
    pyro.sample("x", dist.Normal(twice, 1.0), obs=x[0])


def test_deterministic_sites_are_drawn_when_asked():
    assert joint(inspect_pair(deterministic, None, X).graph) == "p(x,z) = p(z) p(x|z)"
    found = inspect_pair(deterministic, None, X, deterministic=True)
    assert edges(found.graph) == arrows("z>twice twice>x")
    assert joint(found.graph) == "p(x,z) = p(z) p(x|twice), twice = f(z)"


def test_a_reparameterised_site_keeps_its_causes():
    def model(x):
        loc = pyro.sample("loc", dist.Normal(0.0, 1.0))
        z = pyro.sample("z", dist.Normal(loc, 2.0))
        pyro.sample("x", dist.Normal(z, 1.0), obs=x[0])

    program = poutine.reparam(model, config={"z": LocScaleReparam(0.0)})
    assert edges(inspect_pair(program, None, X).graph) == arrows("loc>x z_decentered>x")
    graph = inspect_pair(program, None, X, deterministic=True).graph
    assert edges(graph) == arrows("loc>z z_decentered>z z>x")
    assert graph.nodes["z"].role == "deterministic"


# Time.


def chain(steps):
    z = torch.tensor(0.0)
    for t in range(steps):
        z = pyro.sample(f"z_{t}", dist.Normal(z, 1.0))
        pyro.sample(f"x_{t}", dist.Normal(z, 1.0), obs=torch.tensor(0.1))


def second_order(steps):
    z = [torch.zeros(())] * 2
    for t in pyro.markov(range(steps), history=2):
        z.append(pyro.sample(f"z[{t}]", dist.Normal(z[-1] - 0.5 * z[-2], 1.0)))
    pyro.sample("end", dist.Normal(z[-1], 1.0), obs=torch.tensor(0.0))


def every_step(steps):
    z = [pyro.sample("start", dist.Normal(0.0, 1.0))]
    for t in range(steps):
        z.append(pyro.sample(f"z_{t}", dist.Normal(sum(z), 1.0)))


def sequential(steps):
    loc = pyro.sample("loc", dist.Normal(0.0, 1.0))
    for i in pyro.plate("cells", steps):
        pyro.sample(f"x_{i}", dist.Normal(loc, 1.0), obs=torch.tensor(0.0))


FOLDED = {
    chain: "p(x_{1:T},z_{1:T}) = ∏_{t=1}^{T} p(z_t|z_{t-1}) p(x_t|z_t)",
    second_order: "p(end,z_{1:T}) = ∏_{t=1}^{T} [p(z_t|z_{t-1},z_{t-2})] p(end|z_T)",
    every_step: "p(start,z_{1:T}) = p(start) ∏_{t=1}^{T} p(z_t|start,z_{1:t-1})",
    sequential: "p(x,loc) = p(loc) ∏_{i=1}^{N_cells} p(x^i|loc)",
}


@pytest.mark.parametrize("program", FOLDED, ids=lambda program: program.__name__)
def test_many_steps_are_written_as_one(program):
    found = inspect_pair(program, None, 7)
    written = joint(found.shown())
    left, right = FOLDED[program].split(" = ", 1)
    assert written.startswith(f"{left} = ")
    assert sorted(written.split(" = ", 1)[1].split()) == sorted(right.split())
    assert len(found.graph.nodes) >= 8
    few = inspect_pair(program, None, 3)
    assert few.shown() == few.graph
    assert len(few.shown(1).nodes) < len(few.graph.nodes)


def test_a_folded_graph_says_how_long_and_from_when():
    graph = inspect_pair(chain, None, 12).shown()
    (of_time,) = graph.chains
    assert (of_time.index, of_time.length, of_time.nodes) == ("t", 12, ("z", "x"))
    assert {(e.parent, e.child, e.lag) for e in graph.edges} == {("z", "z", 1), ("z", "x", 0)}
    assert graph.nodes["z"].steps == tuple(f"z_{t}" for t in range(12))


def test_steps_that_differ_are_not_folded():
    def model():
        z = [pyro.sample(f"z_{t}", dist.Normal(0.0, 1.0)) for t in range(6)]
        for t in range(6):
            pyro.sample(f"x_{t}", dist.Normal(z[t * t % 5], 1.0), obs=torch.tensor(0.0))

    found = inspect_pair(model, None)
    assert found.shown() == found.graph


# Factors and guides.


def test_factors_leave_a_density_unnormalised():
    def model():
        a, b = (pyro.sample(name, dist.Normal(0.0, 1.0)) for name in "ab")
        pyro.factor("alike", -((a - b) ** 2))

    assert joint(inspect_pair(model, None).graph) == "p(a,b) ∝ p(a) p(b) ψ(a,b)"


def two(x):
    loc = pyro.sample("loc", dist.Normal(0.0, 1.0))
    scale = pyro.sample("scale", dist.LogNormal(0.0, 1.0))
    with pyro.plate("data", len(x)):
        pyro.sample("x", dist.Normal(loc, scale), obs=x)


def structured(model):
    normal = dict.fromkeys(("loc", "scale"), "normal")
    return AutoStructured(model, conditionals=normal, dependencies={"scale": {"loc": "linear"}})


GUIDES = {
    AutoNormal: "q(loc,scale) = q(loc) q(scale)",
    AutoDelta: "q(loc,scale) = q(loc) q(scale)",
    AutoDiagonalNormal: "q(loc,scale) = q(loc) q(scale)",
    AutoMultivariateNormal: "q(loc,scale)",
    AutoNormalMessenger: "q(loc,scale) = q(loc) q(scale)",
    structured: "q(loc,scale) = q(loc) q(scale|loc)",
}


@pytest.mark.parametrize("make", GUIDES, ids=lambda make: make.__name__)
def test_a_guide_is_a_density_of_the_models_latents(make):
    """The entries of a diagonal normal are independent, those of a full one are not."""
    guide = make(two)
    found = inspect_pair(two, guide, X)
    assert guide_density(found.graph) == GUIDES[make]
    assert found.problems == ()
    assert not list(guide.named_parameters())


def test_an_auxiliary_draw_that_stays_is_drawn():
    def carried(x):
        with pyro.plate("data", len(x)):
            u = pyro.sample("u", dist.Normal(x, 1.0), infer={"is_auxiliary": True})
            pyro.sample("z", dist.Delta(u))

    def apart(x):
        with pyro.plate("data", len(x)):
            u = pyro.sample("u", dist.Normal(x, 1.0), infer={"is_auxiliary": True})
            pyro.sample("z", dist.Normal(u, 1.0))

    assert guide_density(inspect_pair(plain, carried, X).graph) == "q(z|x)"
    graph = inspect_pair(plain, apart, X).graph
    assert guide_density(graph) == "q(u,z|x) = q(u|x) q(z|u)"
    assert graph.nodes["u"].role == "auxiliary"


# Manners.


def test_what_the_checks_refuse_is_said():
    def wrong(x):
        with pyro.plate("K", 2):
            a = pyro.sample("a", dist.Normal(0.0, 1.0))
        with pyro.plate("K", 3):
            b = pyro.sample("b", dist.Normal(a.sum(), 1.0))
            b = pyro.sample("b", dist.Normal(b, 1.0))
        pyro.sample("x", dist.Normal(b.sum(), 1.0), obs=x[0])

    found = inspect_pair(wrong, lambda x: None, X)
    assert edges(found.graph) == arrows("a>b b>x")
    assert found.problems[0].startswith("the plate 'K' has the size 2 around one site and 3")
    assert found.problems[1] == "two sites are called 'b'; give each its own name"
    assert "problem    two sites are called 'b'" in found.to_text()


def test_nothing_of_a_program_remains(capsys):
    def model(x):
        torch.set_default_dtype(torch.float64)
        pyro.param("scale", torch.ones(()))
        print("hello")
        pyro.sample("z", dist.Normal(torch.rand(()), 1.0))
        return x

    state = torch.get_rng_state()
    inspect_pair(model, None, x=X)
    assert torch.get_default_dtype() is torch.float32
    assert not list(pyro.get_param_store())
    assert torch.equal(torch.get_rng_state(), state)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_two_inspections_say_the_same():
    first, second = (inspect_pair(by_if, None, X) for _ in range(2))
    assert first.graph == second.graph
    assert first.notes == second.notes


@pytest.mark.parametrize(
    ("program", "args", "message"),
    [
        (
            plain,
            (),
            r"expected arguments of plain\(x\), got \(\): missing a required argument: 'x'",
        ),
        (lambda: 1 / 0, (), "the program failed at test_anybodys.py:.* with ZeroDivisionError: "),
        (lambda: torch.ones(2) @ torch.ones(3), (), "the program failed at test_anybodys.py:"),
    ],
    ids=["arguments", "division", "shapes"],
)
def test_what_a_program_raises_is_one_line_with_its_place(program, args, message):
    with pytest.raises(ValueError, match=message) as raised:
        record(program, *args)
    assert "\n" not in str(raised.value)


def test_images_that_are_laid_flat_are_followed():
    images = torch.linspace(0.0, 1.0, 24).view(ROWS, 2, 1, 3)

    def model(x):
        with pyro.plate("data", ROWS):
            z = pyro.sample("z", dist.Normal(0.0, 1.0))
            pyro.sample("x", dist.Normal(z, 1.0), obs=x.view(ROWS, -1).sum(-1))

    def guide(x):
        with pyro.plate("data", ROWS):
            pyro.sample("z", dist.Normal(x.view(ROWS, 6).mean(-1), 1.0))

    assert edges(inspect_pair(model, guide, images).graph, "q") == arrows("x>z")
