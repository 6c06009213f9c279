"""``ccvae inspect`` and ``ccvae objectives``, as their users call them."""

import json
from pathlib import Path

import pytest

from ccvae.cli import main
from ccvae.inference.catalogue import PROGRAMS
from ccvae.inspection.objectives import entries, table_latex, table_text

QUICK = ("--network", "mlp")

PAIRS = [(program, name) for program, known in PROGRAMS.items() for name in known]

USERS = """
import pyro, torch
import pyro.distributions as dist
from ccvae.inference import Objective

def model(x):
    with pyro.plate("data", len(x)):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        pyro.sample("x", dist.Normal(z, 1.0), obs=x)

def guide(x):
    with pyro.plate("data", len(x)):
        pyro.sample("z", dist.Normal(x / 2, 1.0))

class Mine(Objective):
    def formula(self, draw):
        return {"log p(x|z)": draw.p("x"), "log p(z)": draw.p("z"), "-log q(z|x)": -draw.q("z")}

def inputs():
    return (torch.randn(4),)

def keywords():
    return {"x": torch.randn(4)}

def wrong():
    return 3

class VAE(torch.nn.Module):
    def model(self, x):
        model(x)

    def guide(self, x):
        guide(x)

vae = VAE()

def fails(x):
    return torch.nn.Linear(3, 1)(x)

def arrays():
    import numpy

    return [numpy.zeros(4)]

def broken():
    return 1 / 0
"""


def call(capsys, *arguments):
    status = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def users(tmp_path, monkeypatch):
    """A file of the user's, in the directory where the command is called."""
    (tmp_path / "theirs.py").write_text(USERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize("labels", ["none", "all", "some"])
@pytest.mark.parametrize("pair", PAIRS)
def test_every_program_under_every_objective(capsys, pair, labels):
    program, objective = pair
    arguments = (program, "--objective", objective, "--labels", labels, "--json")
    status, out, _ = call(capsys, "inspect", *arguments, *QUICK)
    found = json.loads(out)
    assert status == 0
    assert {"sites", "sizes", "graph", "factorisation", "objective"} <= set(found)
    assert found["objective"]["terms"]
    for site in [*found["sites"]["model"], *found["sites"]["guide"]]:
        assert len(site["batch_sizes"]) == len(site["batch_shape"])
        assert len(site["event_sizes"]) == len(site["event_shape"])


def test_text(capsys):
    status, out, _ = call(capsys, "inspect", "ccvae", *QUICK)
    assert status == 0
    assert r"p(x,y,z_c,z_\c) = ∏_{i=1}^{L} [p(y^i) p(z_c^i|y^i)] p(z_\c) p(x|z_c,z_\c)" in out
    assert "enumerated where missing" in out
    assert "L = L_2 + L_5 = 3" in out
    assert max(map(len, out.splitlines()[:7])) <= 100


@pytest.mark.parametrize("form", ["svg", "png", "pdf", "tex", "json", "txt"])
def test_files(capsys, tmp_path, form):
    path = tmp_path / f"figure.{form}"
    status, out, _ = call(capsys, "inspect", "ccvae", *QUICK, "-o", path)
    assert status == 0
    assert str(path) in out
    assert path.stat().st_size > 500


def test_programs_of_the_user(capsys, users):
    given = ("theirs:model,guide", "--inputs", "theirs:inputs")
    status, out, _ = call(capsys, "inspect", *given, "--objective", "theirs:Mine")
    assert status == 0
    assert "p(x,z) = p(z) p(x|z)" in out
    assert "E_{q(z|x)}[ log p(x|z) + log p(z) − log q(z|x) ]" in out
    status, out, _ = call(
        capsys, "inspect", given[0], "--inputs", "theirs:keywords", "-o", users / "figure.svg"
    )
    assert status == 0


def test_methods_and_a_model_alone(capsys, users):
    given = ("--inputs", "theirs:inputs")
    status, out, _ = call(capsys, "inspect", "theirs:vae.model,vae.guide", *given)
    assert status == 0
    assert "guide      q(z|x)" in out
    status, out, _ = call(capsys, "inspect", "theirs:model", *given)
    assert status == 0
    assert "p(x,z) = p(z) p(x|z)" in out
    assert "guide" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing",), "unknown program 'nothing'; choose one of vae"),
        (("ccvae", "--objective", "m2"), "unknown objective of ccvae 'm2'"),
        (("ccvae", "--labels", "few"), "expected labels to be none, all, some, got 'few'"),
        (("ccvae", "--format", "gif"), "unknown format 'gif'; choose one of text, json"),
        (("ccvae", "-o", "figure.gif"), "unknown format 'gif'"),
        (("theirs:,guide",), "expected module:model,guide or module:model, got 'theirs:,guide'"),
        (("theirs:model,nothing",), "cannot load 'theirs:nothing'"),
        (("theirs:Mine,guide",), "expected 'Mine' of theirs to be a function or a module"),
        (
            ("theirs:model,guide", "--inputs", "theirs:wrong"),
            "expected theirs:wrong to return a sequence of arguments",
        ),
        (("theirs:model,guide",), "add --inputs module:function, which returns what yours"),
        (
            ("theirs:vae,vae", "--inputs", "theirs:inputs"),
            "the model failed with NotImplementedError: Module [VAE] is missing the required",
        ),
        (
            ("theirs:fails,guide", "--inputs", "theirs:inputs"),
            "the model failed at theirs.py:38 with RuntimeError: mat1 and mat2 shapes",
        ),
        (
            ("theirs:model,guide", "--inputs", "theirs:arrays"),
            "of Number, torch.Tensor or objects implementing __torch_function__.; give tensors",
        ),
        (
            ("theirs:model,guide", "--inputs", "theirs:broken"),
            "theirs:broken failed at theirs.py:46 with ZeroDivisionError: division by zero",
        ),
    ],
)
def test_bad_input(capsys, users, arguments, message):
    status, out, err = call(capsys, "inspect", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_objectives(capsys):
    """Table 1: five columns in the poster's order, both sides, the errata beside them."""
    status, out, _ = call(capsys, "objectives", "--json")
    assert status == 0
    table = json.loads(out)["objectives"]
    assert [entry["title"] for entry in table if entry["column"]] == [
        "M2",
        "DIVA",
        "Adapted DIVA",
        "Our Adapted DIVA",
        "CC-VAE",
    ]
    sides = {
        entry["name"]: (entry["supervised"]["terms"], entry["unsupervised"]["terms"])
        for entry in table
    }
    assert set(sides) == {name for known in PROGRAMS.values() for name in known}
    # Adapted DIVA as printed has its α-term on unlabelled rows, ours on labelled ones.
    assert "alpha log q(y|z_c)" in sides["adapted-diva"][1]
    assert not [t for t in sides["adapted-diva"][0] if "alpha" in t]
    assert "alpha log q(y|z_c)" in sides["our-adapted-diva"][0]
    assert not [t for t in sides["our-adapted-diva"][1] if "alpha" in t]
    assert "-log q(y|x)" in sides["m2"][1]


def test_objectives_as_text_and_latex(capsys, tmp_path):
    path = tmp_path / "table.tex"
    table = entries()
    assert "Erratum" in table_text(table)
    assert max(map(len, table_text(table).splitlines())) <= 100
    document = table_latex(table)
    assert document.count(r"\mathcal{L}_s") == document.count(r"\mathcal{L}_u") == len(table)
    assert document.count("{") == document.count("}")
    assert call(capsys, "objectives", "-o", path, "--format", "text")[0] == 0
    assert path.read_text().startswith("M2")


@pytest.mark.parametrize(
    "objective", ["", "pyro:Trace_ELBO", "pyro:TraceEnum_ELBO(num_particles=2)"]
)
def test_programs_with_minibatches_of_their_own_are_shown_on_the_first(
    capsys, monkeypatch, objective
):
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "inference"))
    words = ["inspect", "own_programs:vae.model,vae.guide", "--inputs", "own_programs:pictures"]
    words += ["--objective", objective] if objective else []
    status, out, err = call(capsys, *words)
    assert status == 0, err
    assert " = 25" in out


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("0.5*ccvae+our-adapted-diva", "w_1 log p(x|z)"),
        ("ccvae(alpha=3.0)", "(α−1) log q(y|x)"),
    ],
)
def test_one_objective_is_shown_alone(capsys, word, shown):
    status, out, err = call(capsys, "objectives", "--objective", word)
    assert status == 0, err
    assert shown in out
    assert out.count("L_s") == 1
    status, _, err = call(capsys, "objectives", "--objective", "pyro:Trace_ELBO")
    assert (status, err.count("\n"), "no formula" in err) == (2, 1, True)
