"""Numbers out of their range, modules that fail, places that cannot be written: one line each."""

import re
import sys

import pytest
from PIL import Image

from ccvae import cli, files
from ccvae.__main__ import main as start
from ccvae.cli import main

from .calling import QUICK, call


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, brief_classifiers):
    """A working directory of its own, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("theirs_")]:
        del sys.modules[name]


HUGE = "9" * 30

OUT_OF_RANGE = [
    ("train", "--log-every", "0"),
    ("train", "--log-every", "-1"),
    ("train", "--save-minutes", "nan"),
    ("train", "--save-minutes", "0"),
    ("train", "--save-minutes", "inf"),
    ("train", "--devices", "0"),
    ("train", "--nodes", "-2"),
    ("train", "--nodes", HUGE),
    ("train", "--image-size", "0"),
    ("train", "--image-size", HUGE),
    ("train", "--crop", "-1"),
    ("train", "--data-seed", "-1"),
    ("train", "--data-seed", HUGE),
    ("train", "--epochs", HUGE),
    ("train", "--epochs", "0"),
    ("train", "--batch-size", "0"),
    ("train", "--style", "0"),
    ("train", "--style", str(10**9)),
    ("train", "--trunks", str(10**12)),
    ("train", "--patience", "-1"),
    ("train", "--warm-up", "-1"),
    ("train", "--alpha", "-1"),
    ("train", "--alpha", "nan"),
    ("train", "--alpha-d", "inf"),
    ("train", "--lr", "nan"),
    ("train", "--lr", "inf"),
    ("train", "--scale", "0"),
    ("train", "--clip", "nan"),
    ("train", "--labelled", "nan"),
    ("train", "--labelled", "1.5"),
    ("train", "--seed", HUGE),
    ("train", "--labelled-schedule", "0.9,,0.1"),
    ("train", "--labelled-schedule", ","),
    ("train", "--precision", "16"),
    ("compare", "--seeds", "0"),
    ("compare", "--seeds", "-3"),
    ("compare", "--seeds", "1001"),
    ("compare", "--seeds", HUGE),
    ("compare", "--seeds", ""),
    ("compare", "--workers", "0"),
    ("compare", "--threads", "-1"),
    ("compare", "--epochs", "0"),
    ("compare", "--labelled", "0.2,nan"),
    ("compare", "--grid", "alpha=-1"),
    ("demo", "--seed", "-1"),
    ("demo", "--seed", HUGE),
    ("table", "--seeds", "0"),
    ("app", "--port", "65536"),
    ("app", "--port", "-1"),
]


@pytest.mark.parametrize("command", OUT_OF_RANGE, ids=" ".join)
def test_numbers_out_of_range_are_refused_by_name(place, capsys, command):
    name, option, number = command
    status, out, err = call(capsys, name, option, number)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    word = option.strip("-").replace("-", "[-_ ]")
    assert re.search(word, err), err
    assert not list(place.iterdir())


TOO_LARGE = [
    (["train", "--data", "faces:" + "9" * 13], "lower|fewer faces"),
    (["data", "faces:" + "9" * 5000], "fewer faces"),
    (["train", *QUICK, "--style", "100000"], "lower --image-size, or --style"),
]


@pytest.mark.parametrize(("command", "words"), TOO_LARGE, ids=["train", "data", "style"])
def test_what_cannot_fit_is_refused_before_it_is_tried(place, capsys, monkeypatch, command, words):
    monkeypatch.setattr("ccvae.ranges.memory", lambda: 2 * 10**8)
    status, out, err = call(capsys, *command)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert "and this machine has 200 MB" in err
    assert re.search(words, err)


GOOD = "from ccvae.inference import VAEObjective as V\n"
NETS = "from ccvae.networks import MLPDecoder as D, MLPEncoder as E\n"

MODULES = {
    "import": ("--objective", "O", "1 / 0\n", "ZeroDivisionError at {file}:1"),
    "syntax": ("--objective", "O", "def f(:\n", "SyntaxError at {file}:1"),
    "exit": ("--objective", "O", "import sys\nsys.exit(3)\n", "SystemExit at {file}:2"),
    "missing": ("--objective", "O", "", "has no attribute 'O'"),
    "imports": (
        "--objective",
        "O",
        "import nowhere_a\n",
        "at {file}:1 (No module named 'nowhere_a'); in",
    ),
    "objective": (
        "--objective",
        "O",
        GOOD + "class O(V):\n  def __init__(self):\n    {}['a']\n",
        "{file}:4 with KeyError",
    ),
    "network": (
        "--network",
        "N,D",
        NETS + "class N(E):\n  def __init__(self, *a):\n    raise RuntimeError('no')\n",
        "failed at {file}:4 with RuntimeError: no",
    ),
    "step": (
        "--network",
        "N,D",
        NETS + "class N(E):\n  def forward(self, x):\n    return {}['key']\n",
        "{file}:4",
    ),
    "later": (
        "--objective",
        "O",
        GOOD + "class O(V):\n  def begin_epoch(self, epoch):\n    [][epoch]\n",
        "{file}:4: IndexError: list index out of range",
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_that_fail_are_named_with_their_line(place, capsys, name):
    option, attribute, text, words = MODULES[name]
    (place / f"theirs_{name}.py").write_text(text)
    train = ["train", "vae", *QUICK, option, f"theirs_{name}:{attribute}", "--out", "r"]
    status, out, err = call(capsys, *train)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert words.format(file=f"theirs_{name}.py") in err
    sys.modules.pop(f"theirs_{name}", None)
    status, _, err = call(capsys, *train, "--traceback")
    assert status == 2
    assert "Traceback (most recent call last)" in err


@pytest.mark.parametrize(
    "words",
    ["os:getcwd,getcwd", "os:getcwd", "os:path,path", "sys:exit", "builtins:print", "math:gcd,gcd"],
)
def test_what_are_no_programs_are_not_inspected(capsys, words):
    status, _, err = call(capsys, "inspect", words)
    assert (status, err.count("\n")) == (2, 1), err
    status, _, err = call(capsys, "train", "vae", *QUICK, "--objective", words.partition(",")[0])
    assert (status, err.count("\n")) == (2, 1), err


@pytest.mark.parametrize(
    ("option", "word", "reason"),
    [
        ("--programs", "nothing", "unknown program 'nothing'"),
        ("--programs", "ccvae,theirs:model,guide", "theirs"),
        ("--objectives", "os:getcwd", "expected 'os:getcwd' to name a subclass"),
        ("--objectives", "theirs:Objective", "cannot load 'theirs:Objective'"),
        ("--objectives", "pyro:Nothing", "unknown objective of pyro 'Nothing'"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_trains(
    place, capsys, option, word, reason
):
    status, out, err = call(capsys, "compare", *QUICK, option, word, "--out", "c")
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert reason in err
    assert not (place / "c").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ["train", *QUICK, "--out", "file"],
            "file: expected a folder, got a file on the way; give",
        ),
        (["demo", "--out", "file/x"], "file/x: expected a folder, got a file on the way; give"),
        (["import", "nowhere"], "encoder.pt: expected this file or folder, there is none; correct"),
    ],
)
def test_what_the_system_refuses_is_answered_with_what_to_do(place, capsys, command, words):
    (place / "file").write_text("mine")
    status, out, err = call(capsys, *command)
    assert (status, out, err.count("\n"), "Errno" in err) == (2, "", 1, False), err
    assert words in err
    assert (place / "file").read_text() == "mine"


def test_a_run_whose_data_moved_says_how_to_name_them(place, capsys):
    (place / "ph").mkdir()
    for i in range(24):
        Image.new("L", (8, 8), 10 * i).save(place / f"ph/{i}.png")
    table = "\n".join(["file,A", *(f"{i}.png,{i % 2}" for i in range(24))])
    (place / "ph/labels.csv").write_text(table)
    words = ["--image-size", "8", "--network", "mlp", "--epochs", "1", "--labelled", "1"]
    assert call(capsys, "train", "--data", "images:ph", *words, "--out", "r")[0] == 0
    (place / "ph").rename(place / "elsewhere")
    status, _, err = call(capsys, "evaluate", "r")
    assert (status, err.count("\n")) == (2, 1)
    assert "'ccvae evaluate', 'ccvae study' and 'ccvae train --resume' take --data" in err
    status, _, err = call(capsys, "evaluate", "r", "--data", "images:elsewhere")
    assert (status, "is what r was trained on" in err) == (0, True), err
    (place / "elsewhere").rename(place / "ph")
    (place / "ph/labels.csv").write_text("nothing")
    status, _, err = call(capsys, "evaluate", "r")  # which moving them would not mend
    assert (status, err.count("\n"), "elsewhere" in err) == (2, 1, False), err


def test_a_comparison_leaves_nothing_in_a_folder_of_something_else(place, capsys):
    (place / "mine").mkdir()
    (place / "mine/thesis.tex").write_text("mine")
    status, _, err = call(capsys, "compare", *QUICK, "--seeds", "1", "--out", "mine")
    assert (status, "holds no comparison" in err) == (2, True)
    assert [path.name for path in (place / "mine").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", ["s.mpg", "s.txt", "s"])
def test_a_sheet_of_no_format_that_is_written(capsys, name):
    status, _, err = call(capsys, "data", "faces:24", "--sheet", name)
    assert (status, err.count("\n")) == (2, 1)
    assert "expected a picture such as sheet.png" in err


def test_our_own_faults_are_not_hidden(monkeypatch):
    monkeypatch.setattr("ccvae.looking.models", lambda _: {}["ours"])
    monkeypatch.setattr(cli, "place_of", lambda _: "")
    with pytest.raises(KeyError, match="ours"):
        main(["models"])


def test_an_interruption_at_once_is_one_line(capsys, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "import_module", interrupt)
    assert call(capsys, "train") == (130, "", "ccvae train: interrupted\n")


def test_an_interruption_before_the_command_is_known_is_one_line(capsys, monkeypatch):
    class Interrupts:
        def find_spec(self, name, *_):
            if name == "ccvae.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "ccvae.cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupts(), *sys.meta_path])
    assert start() == 130
    assert capsys.readouterr().err == "ccvae: interrupted\n"


def test_where_nothing_can_be_written_results_are_printed(place, capsys, monkeypatch):
    assert call(capsys, "train", *QUICK, "--out", "r")[0] == 0
    before = {path.name: path.read_bytes() for path in (place / "r").glob("*.*")}

    def refuse(path):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(files, "replacing", refuse)
    status, out, err = call(capsys, "evaluate", "r")
    assert status == 0, err
    assert "bound on the evidence" in out
    assert "this evaluation could not be kept: cannot write r/evaluation.json" in err
    status, out, err = call(capsys, "study", "reconstruction", "r")
    assert status == 0, err
    assert "Reconstruction" in out
    assert "the report could not be kept" in err
    assert {path.name: path.read_bytes() for path in (place / "r").glob("*.*")} == before


def test_a_closed_standard_error_leaves_standard_output_alone(place, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["evaluate", "nowhere", "--json"]) == 2
    assert capsys.readouterr().out == ""
