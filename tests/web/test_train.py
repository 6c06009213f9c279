"""The room of trainings: steps, pauses, changes, what is recorded, and everything that is wrong."""

import asyncio
import json
from contextlib import suppress
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ccvae.config import Config
from ccvae.inference.catalogue import PROGRAMS
from ccvae.web import asking, pupil, shelf, training
from ccvae.web.offer import suites
from ccvae.web.shelf import Shelf
from ccvae.web.steering import Change, Side, Start, checked, read
from ccvae.web.training import Training
from ccvae.web.weights import weights

START = checked(Start(), suites())


def pupils(a="ccvae", b="ccvae", **options):
    return Training(checked(Start(a=Side(program=a), b=Side(program=b), **options), suites()))


@pytest.mark.parametrize("program", ["ccvae", "m2"])
def test_the_same_objective_twice_gives_the_same_numbers(program):
    twins = pupils(program, program, seed=3)
    for _ in range(3):
        first, second = twins.step()["sides"]
        assert first == second
    first, second = twins.frame()
    assert first == second


def test_the_same_start_gives_the_same_numbers_whatever_was_looked_at():
    one, other = pupils(seed=1), pupils(seed=1)
    for _ in range(2):
        assert one.step()["sides"] == other.step(always=True)["sides"]


@pytest.mark.parametrize("programs", [("diva", "vae"), ("ccvae", "m2")])
def test_any_two_of_any_two_programs(programs):
    found = pupils(*programs)
    opening = found.opening()
    labels = [label["name"] for label in opening["labels"]]
    assert labels == ["Smiling", "Eyeglasses"] + (["Hair"] if "m2" not in programs else [])
    step = found.step(always=True)
    for program, side, frame in zip(programs, step["sides"], step["frame"], strict=True):
        terms = [v for k, v in side.items() if k not in training.SUMMARIES]
        assert sum(terms) == pytest.approx(side["objective"], rel=1e-4)
        assert set(frame["moved"]) == (set() if program == "vae" else set(labels))
        for label in opening["labels"]:
            points = torch.tensor(frame["points"][label["name"]])
            assert points.shape == (len(label["codes"]), 2)
            assert points.abs().max() == 1000


def test_the_plane_puts_the_classes_apart():
    z = torch.randn(200, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    codes = (torch.arange(200) % 2).double()
    z[:, 3] += 4 * codes
    z[:, 1] *= 3
    from ccvae.web.recording import _plane

    plane = _plane(z - z.mean(0), codes, 2)
    assert plane[3, 0].abs() > 0.9
    assert plane[1, 1].abs() > 0.9
    assert plane.T @ plane == pytest.approx(torch.eye(2, dtype=torch.float64), abs=1e-9)


def test_a_change_holds_from_the_next_step_on():
    plain, changed = pupils(), pupils()
    changed.change(Change(a=Side(alpha=0.0), scale=0.1, share=1.0))
    alpha = "(alpha-1) log q(y_observed|x)"
    found = changed.step()["sides"]
    assert found[0][alpha] == pytest.approx(-found[1][alpha] / (weights(Config())["alpha"] - 1))
    assert found[0]["log p(x|z)"] != plain.step()["sides"][0]["log p(x|z)"]
    assert changed.sides[0].module.model.likelihood.fixed == 0.1


def test_every_objective_says_which_weights_it_takes():
    for program, known in PROGRAMS.items():
        for objective in known:
            assert set(weights(Config(program=program, objective=objective))) <= {"alpha", "beta"}
    assert set(weights(Config(program="diva"))) == {"alpha", "beta"}
    assert weights(Config(program="vae")).get("alpha") is None


def test_a_training_that_comes_to_nothing_says_so(monkeypatch):
    monkeypatch.setattr(pupil, "RATE", 1e30)
    found = pupils()
    steps = (found.step() for _ in range(5))
    with pytest.raises(ValueError, match="became NaN or infinite at step"):
        list(steps)


def run(work):
    return asyncio.run(work)


def test_pause_step_and_go_on(monkeypatch):
    monkeypatch.setattr(shelf, "STEPS", 4)

    async def tried():
        trainings = Shelf()
        kept = await trainings.begin(START, partial(Training, START), theirs=False)
        assert [frame["step"] for frame in kept.frames] == [0]
        await trainings.steer(kept, Change(do="step"))
        assert len(kept.steps) == 1
        assert [frame["step"] for frame in kept.frames] == [0, 1]
        kept.until = 3
        await trainings.steer(kept, Change(do="go", speed=1000.0))
        await kept.running
        assert kept.status == "done"
        assert [step["step"] for step in kept.state(1, 0)["steps"]] == [2, 3]
        await trainings.steer(kept, Change(do="go"))
        await trainings.steer(kept, Change(do="pause"))
        await kept.running
        assert kept.status == "paused"
        assert kept.until == 7
        await trainings.steer(kept, Change(a=Side(alpha=2.0), share=0.25))
        assert kept.state(0, 0)["events"][-1]["words"] == "α of A 2, labelled share 0.25"
        trainings.close()

    run(tried())


def test_a_training_that_nobody_looks_at_pauses(monkeypatch):
    async def tried():
        trainings = Shelf()
        kept = await trainings.begin(START, partial(Training, START), theirs=False)
        monkeypatch.setattr(shelf, "UNWATCHED", -1.0)
        await trainings.steer(kept, Change(do="go"))
        await kept.running
        assert (kept.status, len(kept.steps)) == ("paused", 1)

    run(tried())


def test_networks_that_rest_make_room_and_are_let_go(monkeypatch):
    monkeypatch.setattr(shelf, "LIVE", 1)
    monkeypatch.setattr(shelf, "KEPT", 2)

    async def tried():
        trainings = Shelf()
        kept = [
            await trainings.begin(START, partial(Training, START), theirs=False) for _ in range(4)
        ]
        assert [k.status for k in kept] == ["ended"] * 3 + ["paused"]
        assert len(trainings.kept) == 2
        with pytest.raises(ValueError, match="made room for another"):
            await trainings.steer(kept[2], Change(do="go"))
        kept[3].status = "running"
        with pytest.raises(shelf.FullError):
            await trainings.begin(START, partial(Training, START), theirs=False)

    run(tried())


FIELDS = st.sampled_from(["a", "b", "seed", "share", "scale", "do", "speed", "alpha", "program"])
NAMES = st.sampled_from(["z_d", "z_y[1]", "x", "y,d", "z_x,", "z_y[9]", "z_y[labels=1]", "[1]"])


def begun(page, **start):
    response = page.post("/api/train", json=start)
    assert response.status_code == 200, response.text
    return f"/api/train/{response.json()['id']}"


def test_two_people_look_at_one_training_and_at_their_own(page):
    mine, theirs = begun(page), begun(page, seed=7)
    for path, count in ((mine, 2), (theirs, 1)):
        for _ in range(count):
            assert page.post(path, json={"do": "step"}).status_code == 200
    looks = [page.get(f"{mine}?opening=1").json() for _ in range(2)]
    assert looks[0] == looks[1]
    assert len(looks[0]["steps"]) == 2
    assert set(looks[0]["headings"]) >= set(looks[0]["steps"][0]["sides"][1])
    other = page.get(theirs).json()
    assert len(other["steps"]) == 1
    assert other["steps"][0]["sides"] != looks[0]["steps"][0]["sides"]
    assert page.get(f"{mine}?since=1&frames=1").json()["steps"] == looks[0]["steps"][1:]


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"a": {"program": "nosuch"}}, "unknown program; choose one of"),
        ({"a": {"program": "m2", "objective": "ccvae"}}, "unknown objective of m2"),
        ({"seed": -1}, "Expected `int` >= 0"),
        ({"seed": 1.5}, "Expected `int`"),
        ({"share": 0}, "Expected `float` >= 0.01"),
        ({"scale": 1e9}, "Expected `float` <= 5"),
        ({"a": {"alpha": -1}}, "Expected `float` >= 0"),
        ({"a": {"beta": 0}}, "Expected `float` > 0"),
        ([], "Expected `object`"),
    ],
)
def test_a_training_that_cannot_be(page, start, words):
    for _ in range(4):  # more often than trainings may be there at once
        response = page.post("/api/train", json=start)
        assert response.status_code == 400
        assert words in response.json()["error"]


@pytest.mark.parametrize("body", [b"\xff", b"{", b"[" * 100_000, b'{"seed": 1e999}', b'"\\ud800"'])
def test_what_is_no_json(page, body):
    response = page.post("/api/train", content=body)
    assert response.status_code == 400
    assert "expected what a training is asked for as JSON" in response.json()["error"]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**400)
    | st.floats()
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(), inner, max_size=5)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(ANYTHING)
def test_no_json_is_more_than_refused(value):
    content = json.dumps(value).encode()
    for kind in (Start, Change):
        with suppress(ValueError):
            assert isinstance(read(content, kind), kind)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.sampled_from([*asking.FIELDS, "program"]), st.text() | NAMES, max_size=5))
def test_no_question_makes_it_fail(page, asked):
    response = page.get("/api/ask", params={"program": "diva", **asked})
    assert response.status_code in (200, 400)
    assert response.json()


def test_a_training_is_begun_and_steered_by_post_alone(page):
    assert page.get("/api/train").status_code == 405
    assert page.get("/api/train/nosuch").status_code == 404
    assert page.post("/api/train/nosuch", json={"do": "go"}).status_code == 404
    path = begun(page)
    assert page.post(path, json={"do": "dance"}).status_code == 400
    assert page.get(f"{path}?since=-1").status_code == 400
    assert page.get(f"{path}?since=²").status_code == 400
