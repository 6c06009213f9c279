"""Comparisons: their cells, that they resume, choose on validation rows and say what failed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch

from ccvae.benchmarks.killed import tray
from ccvae.cli import build_parser, main
from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.data.spec import load as load_data
from ccvae.inference.catalogue import build_pair
from ccvae.inference.runs.run import training_rows
from ccvae.inference.training.baselines import train_classifier
from ccvae.inference.training.validation import split
from ccvae.studies.comparing import Comparison, compare
from ccvae.studies.comparing.labels import not_learnt, tables
from ccvae.studies.comparing.latex import Captioned, latex
from ccvae.studies.comparing.paired import Difference, differences, interval
from ccvae.studies.comparing.plan import CLASSIFIER, MAJORITY, Cell, Method, to_json
from ccvae.studies.comparing.rows import rows_of
from ccvae.studies.comparing.saying import findings, seeds_tell
from ccvae.studies.comparing.spec import read_spec, saved
from ccvae.studies.comparing.training import Task, run_cell
from ccvae.studies.comparing.words import fractions_of, grid_of, seeds_of
from ccvae.studies.comparing.writing import Result, differences_table, means_table, write

from ..calling import call

SPACE = LabelSpace([Binary("a"), Categorical("b", ("u", "v", "w"))])

SMALL = {"network": "mlp", "style": 2, "epochs": 2, "batch_size": 20, "threads": 1}


SSVAE, SCANVI = "ssvae:pair.model,pair.guide", "scanvi:pair.model,pair.guide"

ROOT = Path(__file__).parent.parent.parent


def names(methods):
    return [method.name for method in methods]


def test_every_program_has_the_objectives_that_apply_to_it():
    asked = Comparison(
        programs=("ccvae", "m2"),
        objectives=("ccvae", "our-adapted-diva", "mine:Own", "m2/its:Own"),
    )
    assert names(asked.methods(SPACE)) == [
        "ccvae",
        "ccvae/our-adapted-diva",
        "ccvae/mine:Own",
        "m2",
        "m2/mine:Own",
        "m2/its:Own",
    ]
    assert names(Comparison(programs=("vae", "m2")).methods()) == ["vae", "m2"]


def test_a_sum_is_of_the_programs_that_have_its_parts():
    asked = Comparison(programs=("ccvae", "mine:model,guide"), objectives=("0.5*ccvae+2*marginal",))
    assert names(asked.methods()) == ["ccvae", "ccvae/0.5*ccvae+2*marginal", "mine:model,guide"]
    with pytest.raises(ValueError, match="applies to none of vae"):
        Comparison(programs=("vae",), objectives=("0.5*ccvae+2*mine:Own",)).methods()


def test_an_objective_of_no_program_is_refused():
    asked = Comparison(programs=("vae", "m2"), objectives=("marginal",))
    with pytest.raises(ValueError, match=r"'marginal' applies to none of vae, m2"):
        asked.methods()


def test_programs_of_the_users_stand_beside():
    """With Pyro's objectives, or what they are trained by without a word; on data of their own."""
    asked = Comparison(
        programs=("ccvae", "mine:model,guide", "its:pair.model,pair.guide@its:inputs"),
        objectives=("marginal", "pyro:TraceEnum_ELBO"),
        labelled=(0.1, 0.5),
        seeds=(0,),
    )
    own, its = "mine:model,guide", "its:pair.model,pair.guide"
    enum = "pyro:TraceEnum_ELBO"
    assert asked.methods(SPACE) == (
        Method("ccvae", "marginal"),
        Method("ccvae", enum),
        Method(own, enum),
        Method(its, enum, "its:inputs"),
    )
    assert asked.takes_data
    cells = [cell for cell in asked.cells(SPACE) if cell.method.program == its]
    assert [cell.labelled for cell in cells] == [0.1]  # its minibatches say what is labelled
    assert cells[0].config.inputs == "its:inputs"
    alone = Comparison(Config(inputs="its:inputs"), programs=(own,), grid={"alpha": (1, 2)})
    assert alone.methods(None) == (Method(own, "", "its:inputs"),)
    assert not alone.takes_data
    assert len(alone.cells(None)) == 3  # an α means nothing to it, and there is no classifier
    assert asked.modules() == {"mine", "its"}


def test_m2_samples_labels_that_it_cannot_sum_over():
    many = LabelSpace([Binary(f"label {i}") for i in range(18)])
    asked = Comparison(programs=("ccvae", "m2"))
    assert names(asked.methods(many)) == ["ccvae", "m2/m2-score"]
    assert names(asked.methods(SPACE)) == ["ccvae", "m2"]


def test_a_setting_is_tried_where_it_means_something():
    asked = Comparison(
        programs=("vae", "m2"), labelled=(0.1, 0.5), seeds=(3,), grid={"alpha": (1, 2)}
    )
    found = [(cell.name, cell.config.alpha) for cell in asked.cells(SPACE)]
    assert found[:4] == [
        ("vae-F0.1-seed3", None),
        ("m2-alpha=1-F0.1-seed3", 1.0),
        ("m2-alpha=2-F0.1-seed3", 2.0),
        ("plain-classifier-F0.1-seed3", None),
    ]
    assert len(found) == 8
    both = Comparison(seeds=(0,), grid={"lr": (1e-3, 1e-2)}).cells(SPACE)
    assert [cell.setting_text for cell in both] == ["lr=0.001", "lr=0.01"] * 2  # the classifier too


def test_a_schedule_is_of_the_objectives_that_have_its_weight():
    parsed = build_parser().parse_args(["compare", "--schedule", "alpha=linear:0:30:2"])
    assert parsed.schedule == "cosine,alpha=linear:0:30:2"
    assert "labelled" not in vars(parsed)
    base = Config(schedule=parsed.schedule)
    cells = Comparison(base, programs=("ccvae", "vae"), seeds=(0,)).cells(SPACE)
    found = {cell.method.name: cell.config.schedule for cell in cells}
    assert found["ccvae"] == base.schedule
    assert found["vae"] == "cosine"


def test_cells_of_odd_names_have_directories_of_their_own():
    base = Config()
    cells = [
        Cell(Method("ccvae", word), base, 0.2) for word in ("a:B(c=1)", "a:B(c:1)", "a/../b:C")
    ]
    found = {cell.name for cell in cells}
    assert len(found) == 3
    assert not any("/" in name or ":" in name for name in found)


@pytest.mark.parametrize(
    ("read", "text", "complaint"),
    [
        (seeds_of, "some", "expected how many seeds"),
        (fractions_of, "0.1,half", "expected labelled fractions"),
        (grid_of, ["alpha"], "expected settings as alpha=30"),
        (grid_of, ["alfa=3"], "no option 'alfa'"),
        (grid_of, ["alpha=high"], "the settings of alpha in the grid"),
        (grid_of, ["seed=1,2"], "no option 'seed'"),
        (grid_of, ["data=digits,faces"], "no option 'data'"),
    ],
)
def test_words_that_say_nothing_are_refused(read, text, complaint):
    with pytest.raises(ValueError, match=complaint):
        read(text)


def test_settings_are_chosen_on_validation_rows_and_never_on_test_rows():
    asked = Comparison(seeds=(0, 1), grid={"alpha": (1, 2)})
    cells = [cell for cell in asked.cells(SPACE) if cell.method.program]
    tried = {"alpha=1": (0.9, 0.2), "alpha=2": (0.6, 0.6)}
    outcomes = {
        cell.name: {
            "validation": {"accuracy": tried[cell.setting_text][cell.config.seed]},
            "test": {"accuracy": 1.0 if cell.setting_text == "alpha=1" else 0.1},
        }
        for cell in cells
    }
    chosen = {row["setting"] for row in rows_of(asked, cells, outcomes) if row["chosen"]}
    assert chosen == {"alpha=2"}
    outcomes[cells[1].name] = {"failed": "for want of luck"}  # then one seed of alpha=2 is left
    assert cells[1].setting_text == "alpha=2"
    chosen = {row["setting"] for row in rows_of(asked, cells, outcomes) if row["chosen"]}
    assert chosen == {"alpha=1"}


def test_a_smaller_error_is_the_better_setting():
    asked = Comparison(seeds=(0,), grid={"lr": (1, 2)}, criterion="reconstruction_l1")
    cells = [cell for cell in asked.cells(SPACE) if cell.method.program]
    outcomes = {
        cell.name: {"validation": {"reconstruction_l1": error, "accuracy": error}, "test": {"x": 1}}
        for cell, error in zip(cells, (0.3, 0.2), strict=True)
    }
    assert [row["chosen"] for row in rows_of(asked, cells, outcomes)] == [False, True]


def simulated(noise, seeds, gain):
    """Rows of two methods whose accuracy differs by ``gain`` and by noise, and what a seed does."""
    easy = noise.normal(0, 0.05, seeds)
    return [
        {"method": name, "labelled": 0.2, "seed": seed, "chosen": True, "accuracy": value}
        for name, more in (("a", 0.0), ("b", gain))
        for seed, value in enumerate(0.8 + easy + more + noise.normal(0, 0.01, seeds))
    ]


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_paired_interval_covers_what_it_says(seeds):
    """Known difference and noise, 1 000 comparisons: 95 ± 3 % of the intervals hold it."""
    noise, gain, covered = np.random.default_rng(0), 0.013, 0
    for _ in range(1000):
        (found,) = differences(simulated(noise, seeds, gain), "a")
        covered += found.low <= gain <= found.high
    assert 920 <= covered <= 980


def test_the_interval_by_hand():
    mean, low, high, seeds = interval({0: 1.0, 1: 2.0, 2: 6.0}, {0: 0.0, 1: 0.0, 2: 3.0, 5: 9.0})
    assert (mean, seeds) == (2.0, 3)  # 1, 2 and 3 more, s = 1
    assert high - mean == pytest.approx(4.302653 / 3**0.5)
    assert mean - low == pytest.approx(high - mean)


def test_one_seed_tells_nothing():
    row = {"method": "a", "labelled": 0.2, "seed": 0, "chosen": True, "accuracy": 0.5}
    rows = [row, {**row, "method": "b"}]
    (said,) = seeds_tell(rows, differences(rows, "a"))
    assert "nothing of chance" in said


def test_what_the_seeds_can_and_cannot_tell():
    rows = [
        {"method": m, "labelled": 0.2, "seed": s, "chosen": True, "accuracy": 0.8}
        for m in "abc"
        for s in range(4)
    ]
    found = [
        Difference("b", "a", 0.2, "accuracy", -0.03, -0.04, -0.02, 4),
        Difference("c", "a", 0.2, "accuracy", 0.03, -0.01, 0.07, 4),
    ]
    said = " ".join(seeds_tell(rows, found))
    assert "b is worse than a by 3.0 (2.0 to 4.0); not to be told from a: c (" in said
    assert "c (a mean difference below 4 points goes unseen)" in said


def test_what_is_said_of_a_method_depends_on_no_other():
    rows = [
        {"method": m, "labelled": 0.2, "seed": s, "chosen": True, "accuracy": 0.8}
        for m in "abcd"
        for s in range(3)
    ]
    wavers = Difference("b", "a", 0.2, "accuracy", 0.008, -0.001, 0.017, 3)
    near = Difference("c", "a", 0.2, "accuracy", 0.0001, -0.0002, 0.0004, 3)
    same = Difference("d", "a", 0.2, "accuracy", 0.0, 0.0, 0.0, 3)
    alone, beside = (
        " ".join(seeds_tell(rows, found)) for found in ([wavers], [wavers, near, same])
    )
    said = "b (a mean difference below 0.9 points goes unseen)"
    assert said in alone
    assert said in beside
    assert "d (the same on every seed)" in beside


def test_an_interval_that_leaves_nothing_out_shows_it():
    """So many digits that its end beside 0 is none; what is 0 has no sign."""
    rows = [
        {"method": m, "labelled": 0.2, "seed": s, "chosen": True, "state": "done", "accuracy": 0.8}
        for m in "abc"
        for s in range(3)
    ]
    found = [
        Difference("b", "a", 0.2, "accuracy", 0.0008, 0.0001, 0.0015, 3),
        Difference("c", "a", 0.2, "accuracy", -0.0001, -0.0003, 0.0001, 3),
    ]
    assert "b is better than a by 0.08 (0.01 to 0.15)" in " ".join(seeds_tell(rows, found))
    table = differences_table(Result(rows, "a", found, [], "x"))
    assert table.rows == (("b", "+0.08 [+0.01, +0.15]"), ("c", "0.0 [0.0, 0.0]"))


def test_labels_that_nobody_learns_are_named():
    """At the majority's accuracy on every seed; a label of one class tells nothing."""
    rows = [
        {"method": m, "labelled": 0.2, "seed": s, "chosen": True, "state": "done",
         "accuracy[Hat]": hat, "accuracy[Child]": child + 0.01 * s, "accuracy[One]": 1.0}
        for m, hat, child in (("m2", 0.9, 0.7), ("vae", 0.8, 0.7), (MAJORITY, 0.8, 0.7))
        for s in range(2)
    ]  # fmt: skip
    (said,) = not_learnt(rows)
    assert said.endswith("on every seed: Child by m2; Hat, Child by vae.")
    rows[0]["accuracy[Child]"] += 0.1  # one seed of m2
    assert next(not_learnt(rows)).endswith("on every seed: Hat, Child by vae.")
    (table,) = tables(rows)
    assert table.columns == ("label", "m2", "vae", MAJORITY)
    assert table.rows[0] == ("Hat", "90.0", "80.0", "80.0")


def test_the_best_mean_is_not_praised_where_a_baseline_is_better():
    rows = [
        {"method": m, "labelled": 0.2, "seed": 0, "chosen": True, "accuracy": a}
        for m, a in (("m2", 0.7), ("vae", 0.6), (CLASSIFIER, 0.8), (MAJORITY, 0.65))
    ]
    assert findings(rows) == "Best mean: accuracy m2 (70.0, below the plain classifier's 80.0)."
    assert findings(rows[:2] + rows[3:]) == "Best mean: accuracy m2 (70.0)."


def test_a_paper_has_tables_with_captions_and_the_best_in_bold(tmp_path):
    rows = [
        {"method": m, "labelled": 0.2, "seed": s, "chosen": True, "state": "done", "accuracy": a,
         "bound": -9.0 - a} for m, a in (("m2", 0.7), ("our-vae", 0.6)) for s in range(2)
    ]  # fmt: skip
    found = [Difference("our-vae", "m2", 0.2, "accuracy", -0.1, -0.2, -0.05, 2)]
    write(Result(rows, "m2", found, ["a note"], "x"), tmp_path)
    text = (tmp_path / "table.tex").read_text()
    assert r"m2 & {\boldmath$70.0 \pm 0.0$} & $-9.7 \pm 0.0$ & 2 \\" in text
    assert "the best of the methods is bold" in text
    assert r"our-vae & $60.0 \pm 0.0$ & {\boldmath$-9.6 \pm 0.0$} & 2 \\" in text
    assert r"our-vae & $-$10.0 [$-$20.0, $-$5.0] &  \\" in text
    assert text.count(r"\begin{table}") == text.count(r"\caption{") == 2
    assert r"\label{tab:comparison-means}" in text


def test_latex_is_balanced_and_escaped():
    rows = [
        {"method": "own_pair & co", "labelled": 0.2, "seed": s, "chosen": True, "state": "done",
         "accuracy": 0.5 + s / 10} for s in range(2)
    ]  # fmt: skip
    text = latex([Captioned(means_table(Result(rows, "", [], [], "x")), "a_b")], ["a note"])
    assert r"\caption{a\_b}" in text
    assert r"own\_pair \& co & $55.0 \pm 5.0$ & 2 \\" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    assert r"accuracy, \%" in text


def test_a_specification_says_what_the_command_line_says(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'programs = ["m2"]\nlabelled = [0.1]\nseeds = 2\n'
        '[grid]\nalpha = [1, 2]\n[options]\nepochs = 3\ndata = "digits"\n'
    )
    found = read_spec(str(file))
    assert found == Comparison(
        Config(data="digits", epochs=3),
        ("m2",),
        labelled=(0.1,),
        seeds=(0, 1),
        grid={"alpha": (1.0, 2.0)},
    )
    kept = tmp_path / "comparison.json"
    kept.write_text(json.dumps({**to_json(found), "data": {}, "threads": 1, "digest": "x"}))
    assert read_spec(str(kept)) == found


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("programs = 3", "says no comparison"),
        ("colour = 3", "colour"),
        ("[options]\nseed = 3", "seed among the options"),
        ("[options]\nepochs = 0", "epochs of at least 1"),
        ("[", "cannot be read"),
        ('objectives = ["os:system"]', "--trust os"),
    ],
)
def test_a_specification_that_says_something_else_is_refused(tmp_path, text, complaint):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        read_spec(str(file))
    with pytest.raises(ValueError, match="or one of diva, m2, objectives"):
        read_spec("multiclass")


def test_the_saved_comparisons_can_be_asked_for():
    assert saved() == ["diva", "m2", "objectives"]
    for name in saved():
        assert read_spec(name).cells(SPACE)


@pytest.fixture
def place(tmp_path, monkeypatch, brief_classifiers):
    """A working directory with tiny images, and objectives of the user's."""
    here = [str(Path(entry).absolute()) for entry in sys.path]
    monkeypatch.setattr(sys, "path", here)  # processes of another folder find the package too
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("broken_objectives.py").write_text(
        "from ccvae.inference import OurAdaptedDIVAObjective\n\n\n"
        "class Broken(OurAdaptedDIVAObjective):\n"
        "    def formula(self, draw):\n"
        "        raise KeyError('nothing')\n"
    )
    yield tray(Path("tray.npz").absolute())
    sys.modules.pop("broken_objectives", None)


def test_a_comparison_from_its_start_to_its_tables(place, capsys):
    """Trained, failed, taken up with more, and refused: one folder in all its states."""
    asked = {"data": place, "labelled": 0.5, "seeds": 2, "grid": {"alpha": [10, 100]}, **SMALL}
    lines = []
    found = compare(
        objectives=["ccvae", "broken_objectives:Broken"], out="c", told=lines.append, **asked
    )
    assert lines[0] == "0 of 10 cells are done; ccvae-alpha=10-F0.5-seed0 begins"
    assert len(lines) == 11
    frame = found.frame.set_index(["method", "seed", "setting"])
    broken = found.frame[found.frame.objective == "broken_objectives:Broken"]
    assert set(broken.state) == {"failed"}
    (failure,) = set(broken.failure)
    assert "failed on this pair with KeyError: 'nothing'" in failure
    assert "(broken_objectives.py:6)" in failure
    own = frame.loc["ccvae"]
    assert own.accuracy.between(0, 1).all()
    assert own.groupby("seed").chosen.sum().tolist() == [1, 1]
    assert own.memory.gt(1).all()
    assert own.alpha.tolist() == [10, 100, 10, 100]
    assert frame.loc[MAJORITY].seconds.isna().all()
    assert own.seconds.gt(0).all()
    text = Path("c/table.md").read_text()
    assert "| ccvae/broken_objectives:Broken |  |  |  |  | 0 of 4, 4 failed |" in text
    assert "*α*, the weight of the labels: as given for ccvae." in text
    assert "KeyError: 'nothing'" in text
    assert {CLASSIFIER, MAJORITY} < set(found.frame.method)
    assert set(found.runs) == set(own.run)
    run = found.runs[own.run.iloc[0]]
    assert run.config.alpha == 10

    before = {path: path.stat().st_mtime_ns for path in Path("c/runs").rglob("*.safetensors")}
    told = []
    more = compare(objectives=["ccvae", "marginal"], out="c", told=told.append, **asked)
    assert set(more.frame.state) == {"done"}
    assert {path: path.stat().st_mtime_ns for path in before if path.exists()} == before
    pandas.testing.assert_frame_equal(
        more.frame[more.frame.method == "ccvae"],
        found.frame[found.frame.method == "ccvae"],
        check_dtype=False,
    )
    page = Path("c/report.html").read_text()
    assert 'src="data:image/png' in page
    assert "marginal" in page
    assert Path("c/figures/curves-00-accuracy.pdf").read_bytes().startswith(b"%PDF")
    read = pandas.read_csv("c/table.csv")
    assert len(read) == len(more.frame)
    assert "seconds" not in read.columns

    with pytest.raises(ValueError, match=r"c holds a comparison with other options \(epochs 2 → 3"):
        compare(objectives=["ccvae"], out="c", **{**asked, "epochs": 3})
    status, out, err = call(capsys, "compare", "--data", place, "--network", "mlp", "--out", ".")
    assert (status, out) == (2, "")
    assert "is not empty and holds no comparison" in err


def test_methods_of_a_seed_share_rows_weights_and_order(place):
    data = load_data(place)
    asked = Comparison(
        Config(data=place, network="mlp", style=2), objectives=("ccvae", "marginal"), seeds=(7,)
    )
    cells = asked.cells(data.space)
    rows = [training_rows(cell.config, data) for cell in cells]
    for other in rows[1:]:
        torch.testing.assert_close(other.labels, rows[0].labels, equal_nan=True)
    kept = [split(cell.config, training_rows(cell.config, data)).inside for cell in cells]
    assert all(torch.equal(inside, kept[0]) for inside in kept)
    weights = []
    for cell in cells[:2]:
        torch.manual_seed(cell.config.seed)
        model, guide = build_pair(cell.config, data.space, data.shape)
        weights.append([*model.parameters(), *guide.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_the_command_line(place, capsys):
    words = ["compare", "--data", place, "--programs", "ccvae,m2", "--labelled", "0.5", "--seeds"]
    words += ["5,6", "--network", "mlp", "--style", "2", "--epochs", "1", "--batch-size", "50"]
    words += ["--threads", "1", "--reference", "m2", "--out", "c", "--json"]
    status, out, err = call(capsys, *words)
    assert status == 0, err
    document = json.loads(out)
    assert {row["seed"] for row in document["rows"]} == {5, 6}
    assert Path(document["report"]).exists()
    assert "Minus m2" in Path("c/table.md").read_text()
    status, _, err = call(capsys, *words[:-2], "d", "--grid", "alpha=1,2", "--validation", "0")
    assert status == 2
    assert "no row is left to choose a setting on" in err


def test_a_dry_run_says_what_there_is_to_train(place, capsys):
    words = ["compare", "--data", place, "--programs", "ccvae,diva", "--labelled", "0.5"]
    words += ["--network", "mlp", "--style", "2", "--epochs", "9", "--batch-size", "20"]
    status, out, err = call(capsys, *words, "--seeds", "2", "--out", "c", "--dry-run", "--json")
    assert status == 0, err
    cells = {cell["run"]: cell for cell in json.loads(out)["cells"]}
    assert len(cells) == 6
    assert cells["ccvae-F0.5-seed1"]["seconds"] > 0
    assert cells["ccvae-F0.5-seed1"]["bytes"] > 1000
    assert "DIVA needs a data set with domains" in cells["diva-F0.5-seed0"]["failed"]
    assert not Path("c").exists()
    status, out, _ = call(capsys, *words, "--seeds", "1", "--out", "c", "--dry-run")
    assert status == 0
    assert "3 cells to train: about " in out


def test_a_lost_worker_is_replaced_and_its_cell_goes_on(place):
    """One of two processes gets SIGKILL in the middle of a cell."""
    asked = {"data": place, "labelled": 0.5, "seeds": 2, **SMALL, "epochs": 8}
    lost, over = [], []

    def kill():
        while not lost and not over:
            time.sleep(0.01)
            if list(Path("c/runs").glob("ccvae*/checkpoint.safetensors")):
                os.kill(active_children()[0].pid, signal.SIGKILL)
                lost.append(True)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        found = compare(out="c", workers=2, told=lambda line: None, **asked)
    finally:
        over.append(True)
        killer.join()
    assert lost
    assert set(found.frame.state) == {"done"}
    again = compare(out="d", told=lambda line: None, **asked)
    columns = [c for c in again.frame if c not in ("seconds", "memory")]
    own = [f[f.program == "ccvae"][columns] for f in (found.frame, again.frame)]
    pandas.testing.assert_frame_equal(*own)  # the classifiers of processes take 600 steps


def test_killed_and_repeated_it_writes_the_same_tables(tmp_path):
    """SIGKILL at random moments, with every process of the comparison's own."""
    command = [sys.executable, "-m", "ccvae.benchmarks.killed", "--kills", "4", "--small"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout == "killed 4 times; all tables are the same\n"


OUTSIDE = """
from ccvae.guides import Bayes
from ccvae.inference import CCVAEObjective, Objective


class Outside(Objective):
    def __init__(self, alpha=321.0):
        super().__init__()
        self.alpha = alpha

    prepare, formula = CCVAEObjective.prepare, CCVAEObjective.formula
"""


def test_an_objective_outside_the_rule_says_at_which_weight_it_was_trained(place):
    """Beside one that the rule gives its α; misspelt, it is refused before anything is trained."""
    Path("broken_objectives.py").write_text(OUTSIDE)
    asked = {"data": place, "labelled": 0.5, "seeds": 1, **SMALL, "epochs": 1}
    asked |= {"out": "c", "told": lambda line: None}
    for word, complaint in (
        ("broken_objectives:Outsid", r"did you mean 'Outside'\?\); it has Outside;"),
        ("broken_objective:Outside", r"did you mean 'broken_objectives'\?"),
        ("margnal", r"'margnal' \(did you mean 'marginal'\?\) applies to none of ccvae"),
    ):
        with pytest.raises(ValueError, match=complaint):
            compare(objectives=["ccvae", word], **asked)
        assert not Path("c").exists()
    found = compare(objectives=["ccvae", "broken_objectives:Outside"], **asked).frame
    found = found.set_index("method")
    assert found.loc["ccvae/broken_objectives:Outside"].alpha == 321
    assert found.loc["ccvae/broken_objectives:Outside"].alpha_from == "constructor"
    assert found.loc["ccvae"].alpha_from == "rule"
    text = Path("c/table.md").read_text()
    assert "by the rule for ccvae; what its constructor says for ccvae/broken_obj" in text
    assert "stands outside the rule" in text
    assert " | 321 | 1 |" in text


def test_the_plain_classifier_stops_at_a_step(place, monkeypatch):
    from ccvae.stopping import Request, Stopped

    asked, data = Request(), load_data(place)
    config = Config(data=place, network="mlp", labelled=0.5, alpha=1.0)
    asked.signal = signal.SIGTERM
    with pytest.raises(Stopped) as stopped:
        train_classifier(config, training_rows(config, data), torch.device("cpu"), stop=asked)
    assert (stopped.value.epoch, stopped.value.done) == (0, 1)
    cells = Comparison(config, seeds=(0,)).cells(data.space)
    with pytest.raises(Stopped):
        run_cell(Task(cells[-1], Path("c").absolute(), "digest"), asked)


def test_asked_to_stop_it_says_how_to_go_on(place, capsys, monkeypatch):
    from ccvae.studies.comparing import workers

    def stopped(task, stop):
        stop.signal = signal.SIGTERM
        return {"failed": "it was asked to stop"}

    monkeypatch.setattr(workers, "run_cell", stopped)
    words = ["compare", "--data", place, "--network", "mlp", "--out", "c"]
    try:
        status = main(words)
    finally:
        err = capsys.readouterr().err
    assert status == 128 + signal.SIGTERM
    assert f"to go on: ccvae compare --data {place} --network mlp --out c" in err
    assert "0 of 3, 1 failed |" in Path("c/table.md").read_text()  # as far as it came


def test_programs_from_papers_stand_beside_ours(place, monkeypatch):
    """Kingma's SS-VAE on the same digits, scANVI on its own minibatches of simulated cells."""
    monkeypatch.syspath_prepend(str(ROOT / "docs/examples"))
    digits = load_data("digits")
    rows = torch.arange(100)
    images = digits.images[rows].movedim(1, -1).numpy()
    np.savez("some.npz", images=images, Digit=digits.labels[rows, 0].int().numpy())
    asked = {
        "data": "images:some.npz",
        "programs": ["ccvae", SSVAE, f"{SCANVI}@scanvi:inputs"],
        "labelled": 0.5, "seeds": 2, "network": "mlp", "style": 2, "epochs": 1, "batch_size": 20,
        "likelihood": "bernoulli", "threads": 1, "told": lambda line: None,
    }  # fmt: skip
    found = compare(out="c", **asked).frame.set_index("method")
    assert set(found.state) == {"done"}, found.failure.unique()
    own, its = (found.loc[name] for name in (SSVAE, SCANVI))
    for rows in (own, its):
        assert rows.bound.lt(0).all()
        assert rows.accuracy.between(0, 1).all()
        assert rows.program.nunique() == 1
    text = Path("c/table.md").read_text()
    apart = text[text.index("## Minus ccvae") :]
    assert f"| {SSVAE} |" in apart
    assert f"| {SCANVI} |" not in apart
    assert "Of other data, the minibatches of their own: scanvi:" in text
    run = compare(out="c", **asked).runs[its.run.iloc[1]]
    assert (run.config.inputs, run.config.seed) == ("scanvi:inputs", 1)
