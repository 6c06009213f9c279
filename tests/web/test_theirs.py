"""What somebody named on the command line: an objective among the suite's, a pair that trains."""

import sys

import pytest
import torch

from ccvae.cli import main
from ccvae.web.apart import Apart
from ccvae.web.looking import OWN, Theirs, look
from ccvae.web.offer import offer
from ccvae.web.own import Own
from ccvae.web.server import build_app
from ccvae.web.steering import Change, Side, Start, Weights, checked

from .asking import Client

OBJECTIVE = """
from ccvae.inference import Objective
from ccvae.inference.objectives import log_classifier

class Plain(Objective):
    evidence = "log p(x,y_observed)"

    def __init__(self, alpha=3.0):
        super().__init__()
        self.alpha = alpha

    def formula(self, draw):
        return {
            "log p(x|z)": draw.p("x"),
            "log p(z_style)": draw.p("z_style"),
            "-log q(z_style|x)": -draw.q("z_style"),
            "log p(z_c|y)": draw.p("z_c"),
            "-log q(z_c|x)": -draw.q("z_c"),
            "log p(y)": draw.p("y"),
            "-log q(y_missing|z_c)": -draw.q("y"),
            "alpha log q(y_observed|z_c)": self.alpha * log_classifier(draw),
        }
"""

PAIR = """
import pyro, torch
import pyro.distributions as dist
from torch import nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.decoder = nn.Linear(2, 64)

    def forward(self, x):
        pyro.module("model", self)
        with pyro.plate("data", 40, subsample_size=len(x)):
            z = pyro.sample("z", dist.Normal(torch.zeros(2), 1.0).to_event(1))
            mean = self.decoder(z).sigmoid().reshape(-1, 1, 8, 8)
            pyro.sample("seen", dist.Normal(mean, 0.5).to_event(3), obs=x)

class Guide(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(64, 2)

    def forward(self, x):
        pyro.module("guide", self)
        with pyro.plate("data", 40, subsample_size=len(x)):
            pyro.sample("z", dist.Normal(self.encoder(x.flatten(1)), 1.0).to_event(1))

def batches():
    for _ in range(4):
        yield (torch.rand(10, 1, 8, 8),)

model, guide = Model(), Guide()
"""

FLAT = """
import pyro, torch
import pyro.distributions as dist

def model(x):
    w = pyro.sample("w", dist.Normal(0.0, 1.0))
    with pyro.plate("data", len(x)):
        pyro.sample("x", dist.Normal(w, 1.0), obs=x)

def guide(x):
    loc = pyro.param("loc", torch.tensor(0.0))
    pyro.sample("w", dist.Normal(loc, 1.0))

def batch():
    return (torch.arange(4.0),)
"""


@pytest.fixture(scope="module")
def started():
    """The server of forks, started before a test changes the directory."""
    look(Theirs("nosuch:model"))


@pytest.fixture
def folder(started, tmp_path, monkeypatch):
    """Files of the user's, in the directory where the page is started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in (("aims", OBJECTIVE), ("pairs", PAIR), ("flat", FLAT)):
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def test_an_objective_of_ones_own_is_shown_with_its_formula_and_trains(folder, run):
    word = "aims:Plain(alpha=7.0)"
    own = Own(Theirs(objective=word))
    page = Client(build_app(run, own))
    table = page.get("/objectives").text
    assert table.index(f'id="{word}"') < table.index('id="m2"')
    assert "Yours, as it stands in your file" in table
    room = page.get("/programs").text  # which opens with it
    assert f'<option value="{word}" selected>' in room
    for labels in ("none", "all"):
        asked = {"program": "ccvae", "objective": word, "labels": labels}
        assert "objective" in page.get("/programs/view", params=asked).text
    offered = offer(own).trained
    assert offered["ccvae"][word] == {"alpha": 7.0}
    assert word not in offered["vae"]
    sides = {"a": {"program": "ccvae", "objective": word, "alpha": 2.0}, "b": {"program": "ccvae"}}
    name = page.post("/api/train", json=sides).json()["id"]
    assert page.post(f"/api/train/{name}", json={"do": "step"}).status_code == 200
    found = page.get(f"/api/train/{name}?opening=1").json()
    assert found["opening"]["sides"][0]["weights"] == {"alpha": 2.0}
    terms = found["steps"][0]["sides"][0]
    assert "alpha log q(y_observed|z_c)" in terms
    assert "bound" in terms
    assert "aims" not in sys.modules  # nothing of theirs ever runs in the server


def test_a_formula_is_printed_anew_once_its_file_is_saved(folder, run):
    own = Own(Theirs(objective="aims:Plain"))
    page = Client(build_app(run, own))
    before = page.get("/objectives").text
    (folder / "aims.py").write_text(
        OBJECTIVE.replace('"-log q(z_style|x)"', '"-beta log q(z_style|x)"')
    )
    own.take(look(own.theirs, tuple(own.found.shown)))
    assert page.get("/objectives").text != before
    assert page.get("/api/own").json()["version"] == 2
    (folder / "aims.py").write_text("def broken(:")
    own.take(look(own.theirs, tuple(own.found.shown)))
    assert "SyntaxError" in page.get("/api/own").json()["trouble"]
    assert "Yours, as it stands" in page.get("/objectives").text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"program": "ccvae", "objective": "os:system"}, "unknown objective of ccvae"),
        ({"program": "vae", "objective": "aims:Plain"}, "does not apply to this program"),
        ({"program": OWN}, "unknown program"),
    ],
)
def test_only_what_was_named_is_run(folder, run, asked, words):
    page = Client(build_app(run, Own(Theirs(objective="aims:Plain"))))
    response = page.get("/api/ask", params={**asked, "first": "x", "second": "y"})
    assert response.status_code == 400
    assert words in response.json()["error"]
    response = page.post("/api/train", json={"a": asked})
    assert response.status_code == 400
    assert "unknown" in response.json()["error"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("aims:Missing", "Missing"),
        ("pyro:Trace_ELBO", "has no formula of named terms"),
        ("aims:Plain(", "expected a name"),
    ],
)
def test_an_objective_that_cannot_be_shown_ends_with_one_line(folder, capsys, word, said):
    assert main(["app", "--port", "0", "--objective", word]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1


def begin(theirs, **options):
    own = Own(theirs)
    return Apart(checked(Start(**options), offer(own)), theirs)


def test_a_pair_on_minibatches_of_its_own_trains_beside_the_suites(folder):
    theirs = Theirs("pairs:model,guide", "pairs:batches")
    one = begin(theirs, a=Side(program=OWN), b=Side(program="vae"))
    other = begin(theirs, a=Side(program="vae"), b=Side(program=OWN))
    try:
        opening = one.opening()
        assert opening["sides"][0]["objective"] == "pyro:TraceEnum_ELBO"
        assert opening["sides"][0]["originals"].startswith("data:image/webp")
        assert [label["name"] for label in opening["labels"]] == ["Smiling", "Eyeglasses", "Hair"]
        steps = [one.step(always=True) for _ in range(3)]
        again = [other.step() for _ in range(3)]
        assert [s["sides"][0] for s in steps] == [s["sides"][1] for s in again]
        first, *_, last = (step["sides"][0] for step in steps)
        assert last["objective"] > first["objective"]
        terms = sum(value for name, value in first.items() if name != "objective")
        assert terms == pytest.approx(first["objective"], rel=1e-4)
        frame, ours = steps[-1]["frame"]
        assert frame["rebuilt"].startswith("data:image/webp")
        assert frame["said"] == ""
        points = torch.tensor(frame["points"][""])
        assert points.shape == (10, 2)
        assert points.abs().max() == 1000
        assert set(ours["points"]) == {"Smiling", "Eyeglasses", "Hair"}
        one.change(Change(a=Weights(alpha=2.0), share=0.1))
        one.step()
    finally:
        one.close()
        other.close()


def test_where_there_is_no_picture_a_sentence_says_so(folder):
    training = begin(
        Theirs("flat:model,guide", "flat:batch"), a=Side(program=OWN), b=Side(program=OWN)
    )
    try:
        opening = training.opening()
        assert opening["labels"] == []
        assert opening["sides"][0]["originals"] == ""
        step = training.step(always=True)
        assert step["sides"][0] == step["sides"][1]
        frame = step["frame"][0]
        assert (frame["rebuilt"], frame["points"]) == ("", {})
        assert frame["said"] == (
            "this pair observes no image with a mean, so no picture can be drawn of it; no latent "
            "of its guide is real in each of several rows, so none lies in a plane"
        )
    finally:
        training.close()


def test_a_pair_called_as_the_suites_learns_from_the_faces(folder):
    (folder / "alike.py").write_text(
        "import pyro, torch\n"
        "from ccvae.config import Config\n"
        "from ccvae.data.faces import faces\n"
        "from ccvae.inference.catalogue import build_pair\n"
        "data = faces(16).only(('Smiling', 'Eyeglasses', 'Hair'))\n"
        "model, guide = build_pair(Config(network='mlp', style=2), data.space, data.shape)\n"
    )
    training = begin(Theirs("alike:model,guide"), a=Side(program=OWN), b=Side(program="m2"))
    try:
        step = training.step(always=True)
        assert "accuracy" in step["sides"][0]
        assert step["frame"][0]["rebuilt"].startswith("data:image/webp")
        assert set(step["frame"][0]["points"]) == {"Smiling", "Eyeglasses", "Hair"}
        assert set(step["frame"][0]["moved"]) == {"Smiling", "Eyeglasses", "Hair"}
    finally:
        training.close()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import os; os._exit(3)", "ended their process with status 3"),
        ("raise SystemExit('enough')", "enough"),
        ("1 / 0", "ZeroDivisionError"),
        ("while True: pass", "did not end within 1 seconds"),
    ],
)
def test_whatever_a_step_does_ends_with_its_process(folder, run, line, words):
    counted = f"def model(x):\n    calls.append(1)\n    if len(calls) > CALLS:\n        {line}\n"
    text = "calls = []\n" + FLAT.replace("def model(x):\n", counted)
    (folder / "flat.py").write_text("CALLS = 10**6\n" + text)
    theirs = Theirs("flat:model,guide", "flat:batch")
    start = checked(Start(a=Side(program=OWN), b=Side(program=OWN)), offer(Own(theirs)))
    (folder / "flat.py").write_text("CALLS = 12\n" + text)
    training = Apart(start, theirs, limit=20)
    training.limit = 1
    steps = (training.step() for _ in range(12))
    with pytest.raises(ValueError, match=words):
        list(steps)
    training.close()
    assert training.process.exitcode is not None


def test_a_training_of_theirs_is_steered_and_let_go(folder, run):
    theirs = Theirs("flat:model,guide", "flat:batch")
    app = build_app(run, Own(theirs))
    page = Client(app)
    name = page.post("/api/train", json={"a": {"program": OWN}, "b": {"program": OWN}}).json()["id"]
    (kept,) = app.state.pages.train.shelf.kept.values()
    for _ in range(2):
        assert page.post(f"/api/train/{name}", json={"do": "step"}).json()["status"] == "paused"
    assert [step["step"] for step in page.get(f"/api/train/{name}").json()["steps"]] == [1, 2]
    process = kept.training.process
    app.state.pages.train.shelf.close()
    assert process.exitcode is not None
