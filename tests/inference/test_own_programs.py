"""Anybody's pair trains, resumes bit for bit and is evaluated, by the word for it."""

import importlib
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.infer import Trace_ELBO
from pyro.infer.autoguide import AutoNormal
from torch.distributions import constraints

import ccvae
from ccvae.config import Config
from ccvae.data.digits import digits
from ccvae.inference.foreign import Inputs
from ccvae.inference.runs.evaluation import evaluate_run
from ccvae.inference.runs.own import resume_or_create_own
from ccvae.inference.runs.run import load, resume_or_create, training_rows

from ..calling import call
from .leaving import finished

CPU = torch.device("cpu")
HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "docs/examples"

PAIRS = {
    "vae": ("own_programs:vae.model,vae.guide", "own_programs:pictures", ""),
    "drawn": ("own_programs:vae.model,vae.guide", "own_programs:pictures", "pyro:Trace_ELBO"),
    "closed": (
        "own_programs:vae.model,vae.guide",
        "own_programs:pictures",
        "pyro:TraceMeanField_ELBO",
    ),
    "weighted": (
        "own_programs:vae.model,vae.guide",
        "own_programs:pictures",
        "pyro:RenyiELBO(alpha=0.5,num_particles=3)",
    ),
    "mixture": ("own_programs:mixture,mixture_guide", "own_programs:points", ""),
    "regression": (
        "own_programs:regression,regression_guide",
        "own_programs:table",
        "pyro:TraceGraph_ELBO",
    ),
    "hmm": ("own_programs:hmm", "own_programs:sequences", "pyro:TraceEnum_ELBO"),
    "scanvi": ("scanvi:pair.model,pair.guide", "scanvi:inputs", ""),
}


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The programs can be imported, and nobody has trained those of another test."""
    for folder in (HERE, EXAMPLES):
        monkeypatch.syspath_prepend(str(folder))
    yield
    for name in ("own_programs", "scanvi", "ssvae"):
        sys.modules.pop(name, None)


def config_of(name, epochs=2, **options):
    program, inputs, objective = PAIRS[name]
    made = Config(program=program, inputs=inputs, objective=objective, epochs=epochs, lr=1e-2)
    return replace(made, **options)


def trained(config, directory, stops=()):
    def begin():
        inputs = Inputs.named(config.inputs, config.seed)
        return resume_or_create_own(config, inputs, directory, CPU, resume=True), inputs

    return finished(begin, stops)


def weights(run):
    return {f"{n}.{k}": v for n, m in run.modules.items() for k, v in m.state_dict().items()}


@pytest.mark.parametrize("name", PAIRS)
def test_it_resumes_bit_for_bit(tmp_path, name):
    config = config_of(name)
    whole, lines = trained(config, tmp_path / "whole")
    assert [line["epoch"] for line in lines] == [0, 1]
    for line in lines:
        terms = {k: v for k, v in line.items() if k.startswith(("log", "-", "sums"))}
        assert terms
        assert sum(terms.values()) == pytest.approx(line["objective"], rel=1e-4)
        if name == "scanvi":  # an α weighs its classifier's term
            assert "bound" not in line
        else:
            assert line["bound"] == line["objective"]
    torch.rand(3)  # whatever was drawn in between
    steps = len(whole.inputs)
    left, _ = trained(config, tmp_path / "left", stops=[1, steps - 1, 1])
    assert weights(whole).keys() == weights(left).keys()
    for key, value in weights(whole).items():
        assert torch.equal(value, weights(left)[key]), key
    read = [(tmp_path / d / "metrics.jsonl").read_text() for d in ("whole", "left")]
    assert read[0] == read[1]


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_evaluated_from_its_directory(tmp_path, name):
    config = config_of(name, epochs=1)
    trained(config, tmp_path / "run")
    modules = {"own_programs", "scanvi"}
    found = evaluate_run(load(tmp_path / "run", CPU, modules))
    assert found == evaluate_run(load(tmp_path / "run", CPU, modules)) | {
        "bound": pytest.approx(found["bound"], rel=0.2)
    }
    assert math.isfinite(found["bound"])
    has_parts = name not in ("mixture", "regression")
    assert found["part"] == ("test" if has_parts else "train")
    assert ("accuracy" in found) == (name == "scanvi")
    with pytest.raises(ValueError, match="names code of its own"):
        load(tmp_path / "run", CPU)


def test_parameters_of_the_store_move_and_keep_their_constraints(tmp_path):
    run, lines = trained(config_of("mixture", epochs=60, lr=0.05), tmp_path / "run")
    assert lines[-1]["bound"] > lines[0]["bound"] + 0.5
    (raw,) = [v for k, v in weights(run).items() if k == "model.loose.weights"]
    share = raw.softmax(0).sort().values
    torch.testing.assert_close(share, torch.tensor([0.4, 0.6]), atol=0.1, rtol=0)


def test_what_it_learns_is_right(tmp_path):
    run, _ = trained(config_of("regression", epochs=150, lr=0.05), tmp_path / "run")
    guide = run.guide.program
    x, _ = run.inputs.first.args
    median = guide.median(x)
    weight, bias = median["linear.weight"].flatten(), median["linear.bias"]
    torch.testing.assert_close(weight, torch.tensor([2.0, -1.0]), atol=0.15, rtol=0)
    assert abs(bias.item() - 0.5) < 0.15


def test_types_of_simulated_cells_are_found(tmp_path):
    run, lines = trained(config_of("scanvi", epochs=15), tmp_path / "run")
    assert lines[-1]["validation_accuracy"] > 0.85
    found = evaluate_run(run)
    assert found["accuracy"] > 0.85  # a guess: 0.33
    assert found["images"] == 150


@pytest.fixture(scope="module")
def few():
    """160 digits to train on, and 40 to test on."""
    data = digits()
    return replace(data, train=data.train[:160], test=data.test[:40])


@pytest.mark.usefixtures("brief_classifiers")
def test_the_semi_supervised_vae_resumes_and_predicts(tmp_path, few):
    asked = Config(
        program="ssvae:pair.model,pair.guide", data="digits", epochs=2, batch_size=40, labelled=0.5
    )

    def trained(directory, stops=()):
        def begin():
            run = resume_or_create(asked, few, directory, CPU, resume=True)
            return run, training_rows(run.config, few)

        return finished(begin, stops)

    whole, lines = trained(tmp_path / "whole")
    assert {"accuracy", "log p(classified)", "validation_accuracy"} <= set(lines[-1])
    left, _ = trained(tmp_path / "left", [3, 2])
    for key, value in weights(whole).items():
        assert torch.equal(value, weights(left)[key]), key
    vars(whole)["_rows"] = (training_rows(whole.config, few), few.subset(few.test))
    found = evaluate_run(whole)
    assert 0 <= found["accuracy"] <= 1
    assert 0 < found["reconstruction_l1"] < 1


# The command.


def test_the_command_trains_and_evaluates_minibatches_of_ones_own(tmp_path, capsys):
    run = tmp_path / "run"
    words = ["train", PAIRS["vae"][0], "--inputs", PAIRS["vae"][1], "--epochs", "1", "--out", run]
    status, out, err = call(capsys, *words)
    assert status == 0, err
    assert "log p(obs)" in (run / "metrics.jsonl").read_text()
    assert "--trust own_programs" in out
    facts = json.loads((run / "config.json").read_text())
    assert facts["config"]["inputs"] == "own_programs:pictures"
    assert facts["shape"] is None
    status, _, err = call(capsys, "evaluate", run)
    assert (status, "--trust own_programs" in err) == (2, True)
    status, out, err = call(capsys, "evaluate", run, "--trust", "own_programs")
    assert status == 0, err
    assert "nats per row" in out
    status, _, err = call(capsys, "study", "all", run, "--trust", "own_programs")
    assert (status, err.count("\n"), "programs of the suite" in err) == (2, 1, True)
    status, out, err = call(capsys, *words, "--resume")
    assert status == 0, err
    status, _, err = call(capsys, *words, "--resume", "--lr", "0.1")
    assert (status, "was trained with other options" in err) == (2, True)


@pytest.mark.parametrize(
    ("program", "inputs", "more", "message"),
    [
        ("late", "late_batches", [], "'more' was not asked for on the first batch"),
        ("constant", "failing", [], "own_programs:failing failed at own_programs.py"),
        ("constant", "nothing", [], "gave no minibatch"),
        ("constant", "nan_batches", [], "expected finite numbers at model site 'x'"),
        ("constant", "missing", [], "cannot load"),
        ("constant", "once", [], "used up after one epoch"),
        ("constant", "used_up", [], "gives none when it is asked again"),
        ("constant", "drawn_elsewhere", [], "could not be taken up"),
        ("constant", "array", [], "an iterator of these, got ndarray"),
        ("constant", "math", [], "neither minibatches nor a function that returns some, but mod"),
        ("POINTS", "points", [], "a function or a module, got tensor"),
        ("fixed", "plain", [], "neither program has a parameter that is trained"),
        ("detached", "plain", [], "depends on no parameter of either program"),
        ("latent,latent_guide", "uneven", [], "the pair failed at step 3 of epoch 1 with Runtime"),
        ("latent", "late_batches", [], "model site 'z' is latent but the guide has no site"),
        ("vae", "pictures", [], "is missing the required"),
        ("VAE", "pictures", [], "a function or a module"),
        ("constant", "late_batches", ["--style", "3"], "--style is of programs of the suite"),
        ("constant", "late_batches", ["--data", "digits"], "--data is of a data set"),
        ("constant", "late_batches", ["--batch-size", "3"], "--batch-size is of a data set"),
        ("constant", "late_batches", ["--average", "0.9"], "--average is of programs"),
        (
            "vae.model,vae.guide",
            "pictures",
            ["--objective", "pyro:ReweightedWakeSleep(num_particles=1)"],
            "cannot be made",
        ),
    ],
)
def test_mistakes_are_said_in_one_line(tmp_path, capsys, program, inputs, more, message):
    words = [f"own_programs:{program}", "--inputs", f"own_programs:{inputs}", "--epochs", "1"]
    status, out, err = call(capsys, "train", *words, *more, "--out", tmp_path / "run")
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]


def test_minibatches_are_of_programs_of_ones_own(tmp_path, capsys):
    words = ["train", "ccvae", "--inputs", "own_programs:pictures", "--out", tmp_path / "run"]
    status, _, err = call(capsys, *words)
    assert (status, "is of module:model,guide" in err) == (2, True)


def test_other_minibatches_are_not_gone_on_with(tmp_path, monkeypatch):
    config = config_of("regression", epochs=1)
    trained(config, tmp_path / "run")
    monkeypatch.setattr(Inputs, "fingerprint", "another")
    with pytest.raises(ValueError, match="gives other minibatches"):
        trained(config, tmp_path / "run")


def test_minibatches_and_steps_do_not_draw_the_same_noise(tmp_path):
    """A posterior is found whose minibatches are drawn anew: the noise of neither knows of it."""
    model, guide = own("latent"), own("sloped")
    options = {"epochs": 150, "lr": 0.03, "progress": False, "device": "cpu"}
    run = ccvae.fit(model, guide, lambda: (2**0.5 * torch.randn(500),), **options)
    (slope,) = weights(run.run).keys() & {"model.loose.slope"}
    assert weights(run.run)[slope].item() == pytest.approx(0.5, abs=0.06)


def test_the_values_of_a_fit_are_where_their_constraints_put_them():
    """Of pyro.param by its name, of an automatic guide by the module's; Pyro's store has none."""

    def model(x):
        noise = pyro.param("noise", torch.tensor(2.0), constraint=constraints.positive)
        weight = pyro.sample("weight", dist.Normal(torch.zeros(2), 1.0).to_event(1))
        with pyro.plate("data", len(x)):
            pyro.sample("x", dist.Normal(weight.sum(), noise), obs=x)

    x = 0.1 * torch.randn(200, generator=torch.Generator().manual_seed(0)) + 3
    pyro.clear_param_store()
    run = ccvae.fit(
        model, AutoNormal(model), (x,), epochs=150, lr=0.05, progress=False, device="cpu"
    )
    found = run.values()
    assert set(found) == {"noise", "guide.locs.weight", "guide.scales.weight"}
    assert found["noise"].item() == pytest.approx(0.1, abs=0.15)
    assert found["guide.locs.weight"].sum().item() == pytest.approx(3, abs=0.2)
    assert found["guide.scales.weight"].gt(0).all()
    assert not pyro.get_param_store().keys()


def test_weights_on_sites_are_no_part_of_a_bound(tmp_path):
    """Annealing is of the training: the same weights of the pair have the same bound without it."""
    word = "own_programs:weighed,weighed_guide"
    runs = {
        inputs: trained(
            Config(program=word, inputs=f"own_programs:{inputs}", epochs=1, lr=1e-9),
            tmp_path / inputs,
        )
        for inputs in ("tempered", "plain")
    }
    found = {inputs: evaluate_run(run) for inputs, (run, _) in runs.items()}
    x, own = own_points().double(), torch.distributions.Normal(0.0, 0.1)
    exact = -0.5 * ((x.square() + 0.1**2).sum() + 20 * math.log(2 * math.pi))
    exact += own.entropy() - 0.5 * (0.1**2 + math.log(2 * math.pi))
    for each in found.values():
        assert abs(each["bound"] - exact.item() / 20) < 4 * each["bound_error"]
    assert "bound" not in runs["tempered"][1][0]
    assert "bound" in runs["plain"][1][0]


def own_points():
    return own("plain")()[0]


def test_minibatches_may_be_named_themselves(tmp_path):
    config = Config(program="own_programs:constant", inputs="own_programs:loader", epochs=2)
    trained(config, tmp_path / "run")
    assert len((tmp_path / "run/steps.jsonl").read_text().splitlines()) == 8
    run = ccvae.fit(own("constant"), None, (own_points(),), epochs=2, progress=False)
    assert list(run.history.index) == [1, 2]


def test_the_seed_decides_the_initial_weights(tmp_path):
    runs = [
        trained(config_of("vae", epochs=1, seed=seed, lr=1e-9), tmp_path / str(n))[0]
        for n, seed in enumerate((0, 0, 1))
    ]
    first, second, other = (weights(run)["guide.parts.0.encoder.hidden.weight"] for run in runs)
    assert torch.equal(first, second)
    assert not torch.allclose(first, other, atol=1e-3)


# Objects in Python.


def own(name):
    module = importlib.import_module("own_programs")
    return getattr(module, name)


def fitted(*pair, **options):
    return ccvae.fit(*pair, progress=False, device="cpu", **options)


def test_objects_are_fitted_and_gone_on_with(tmp_path):
    options = {"epochs": 2, "lr": 0.01, "seed": 3}
    model, guide = own("mixture"), own("mixture_guide")
    run = fitted(model, guide, own("points"), out=tmp_path / "a", **options)
    assert list(run.history.index) == [1, 2]
    assert math.isfinite(run.evaluate()["bound"])
    said = "a pair from Python with the objective pyro:TraceEnum_ELBO on minibatches from Python"
    assert said in repr(run)
    with pytest.raises(ValueError, match=r"choose run\.evaluate\(\), run\.history"):
        run.report()
    assert "nats per row" in run.evaluate()._repr_html_()
    assert "<svg" in run._repr_html_() or "<img" in run._repr_html_()
    sys.modules.pop("own_programs")
    half = {**options, "schedule": "constant"}
    model, guide = own("mixture"), own("mixture_guide")
    whole = fitted(model, guide, own("points"), out=tmp_path / "b", **half)
    sys.modules.pop("own_programs")
    model, guide = own("mixture"), own("mixture_guide")
    fitted(model, guide, own("points"), out=tmp_path / "c", **{**half, "epochs": 1})
    again = fitted(model, guide, own("points"), out=tmp_path / "c", resume=True, **half)
    assert again.config.epochs == 2
    assert weights(whole.run).keys() == weights(again.run).keys()
    for key, value in weights(whole.run).items():
        assert torch.equal(value, weights(again.run)[key]), key
    sys.modules.pop("own_programs")
    model, guide = own("mixture"), own("mixture_guide")
    read = fitted(model, guide, own("points"), out=tmp_path / "c", resume=True, **half)
    for key, value in weights(again.run).items():  # what was done is read, and not trained on
        assert torch.equal(value, weights(read.run)[key]), key
    with pytest.raises(ValueError, match=r"was an object in Python.*resume=True"):
        ccvae.load(tmp_path / "a")
    with pytest.raises(ValueError, match="report look at programs of the suite"):
        run.report()
    with pytest.raises(ValueError, match="other options"):
        fitted(model, guide, own("points"), out=tmp_path / "c", resume=True, lr=0.2)
    with pytest.raises(ValueError, match="already holds a trained run"):
        fitted(model, guide, own("points"), out=tmp_path / "c", **options)


def test_objects_are_fitted_to_a_data_set(few):
    pair = importlib.import_module("ssvae").pair
    before = pair.classifier[0].weight.clone()
    options = {"epochs": 1, "batch_size": 80, "labelled": 0.5}
    run = fitted(pair.model, pair.guide, few, objective="pyro:Trace_ELBO", **options)
    assert not torch.equal(before, pair.classifier[0].weight)
    assert run.guide.program.__self__ is pair
    assert run.config.data == "digits"
    folder = run.directory
    assert folder.exists()
    del run
    assert not folder.exists()


def test_an_objective_of_ones_own_is_an_instance(few):
    pair = importlib.import_module("ssvae").pair
    options = {"epochs": 1, "batch_size": 80, "labelled": 1.0}
    run = fitted(pair.model, pair.guide, few, objective=Trace_ELBO(), **options)
    assert run.config.objective == "given:Trace_ELBO"


def test_train_takes_words_and_pairs_alike(tmp_path):
    words = {"epochs": 1, "lr": 0.01, "progress": False, "device": "cpu"}
    by_word = ccvae.train(
        PAIRS["regression"][0], inputs=PAIRS["regression"][1], out=tmp_path / "word", **words
    )
    read = ccvae.load(tmp_path / "word", trust="own_programs")
    assert weights(read.run).keys() == weights(by_word.run).keys()
    assert math.isfinite(read.evaluate()["bound"])
    sys.modules.pop("own_programs")
    pair = own("regression"), own("regression_guide")
    by_pair = ccvae.train(pair, own("table"), **words)
    assert by_pair.history.notna().all().all()
    alone = ccvae.train((own("hmm"), None), own("sequences"), **words)
    assert alone.model.program is own("hmm")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ccvae.train("own_programs:vae.model,vae.guide", own("pictures")), "ccvae.fit"),
        (lambda: ccvae.train("ccvae", objective=Trace_ELBO()), "a word for the objective"),
        (lambda: ccvae.train((own("hmm"),), own("sequences")), "a pair .model, guide."),
        (lambda: ccvae.fit(own("VAE"), None, own("pictures")), "programs to fit"),
        (lambda: ccvae.fit("ccvae", None, "digits"), "ccvae.train the words"),
        (lambda: ccvae.fit(own("hmm"), None, own("sequences"), epoch=1), "did you mean 'epochs'"),
        (lambda: ccvae.fit(own("hmm"), None, own("sequences"), batch_size=3), "--batch-size is of"),
        (lambda: ccvae.fit(own("hmm"), None, 3), "data is neither minibatches"),
        (lambda: ccvae.compare(programs=[(own("hmm"), None)]), "module:model,guide"),
    ],
)
def test_what_cannot_be_trained_in_python_is_said(tmp_path, monkeypatch, call, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        call()
