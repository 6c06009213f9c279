"""Whatever is written after a command: it ends with 0, or with 2 and one line that says why."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccvae import commands
from ccvae.cli import build_parser, main
from ccvae.config import Config

from .calling import call, gray_images

COUNT = int(os.environ.get("CCVAE_VECTORS", "40"))
"""Argument vectors of a command; more for a longer look."""

SLOW = {
    "compare": 20,
    "demo": 16,
    "study": 4,
    "objectives": 10,
    "models": 10,
    "inspect": 4,
    "train": 2,
}
"""By what the number is divided for commands that take long where they are right."""

PARSERS = build_parser()._subparsers._group_actions[0].choices

WORDS = [
    "",
    " ",
    "-",
    "x",
    "ä\u2028",
    "a\nb",
    "\x00",
    "%s",
    "{A}",
    "../..",
    "x" * 300,
    "A,B",
    ",",
    "=",
    ":",
]
NUMBERS = [
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "1.5",
    "1e400",
    "nan",
    "-inf",
    "9" * 30,
    "\uff11",
    "1_0",
    " 1",
]
PLACES = ["r", "ph", "ph/labels.csv", "new", "new/er", ".", "/dev/null/x", "/proc/x"]
DATA = [
    "faces:24",
    "faces:1",
    "faces:-3",
    "faces:x",
    "images:ph",
    "images:r",
    "images:nowhere",
]
DATA += [
    "images:ph?image_size=8",
    "images:ph?only=A",
    "images:",
    "celeba:ph",
    "digits:ph",
    "images:a.npz",
]
DATA += [
    "rotated-digits:7",
    "rotated-digits:x:held-out",
    "faces:24?missing=1",
    "faces:24?missing=Hair=0.5",
]
DATA += [
    "images:ph?labels=t.csv",
    "images:ph?image_size=-1",
    "nothing",
    "?",
    "faces:24?",
    ":",
    "a?b?c",
]
CODE = [
    "os:getcwd",
    "nowhere:X",
    "os:nothing",
    ":",
    "os:",
    ":x",
    "a:b:c",
    "math:pi,pi",
    "os:getcwd,getcwd",
]
NAMES = [
    "ccvae",
    "m2",
    "vae",
    "diva",
    "adapted-diva",
    "marginal",
    "diva,vae",
    "importance-weighted",
]
STUDIES = ["reconstruction", "beliefs", "confusion", "swap", "nothing", "all,all"]

POOLS = {
    "programs": ["cpu", "", ","],  # whatever is right trains for long
    "program": ["ccvae", "m2", "vae", "diva", *CODE],
    "objective": ["", *NAMES, *CODE],
    "likelihood": ["laplace", "normal", "bernoulli", "levels", "poisson"],
    "schedule": ["cosine", "linear", "constant"],
    "precision": ["32", "bf16", "64"],
    "link": ["probit", "logit"],
    "heads": ["auto", "stick", "softmax"],
    "keep": ["best", "last"],
    "alpha_rule": ["measured", "paper"],
    "sided": ["yes", "no"],
    "test_on": ["test", "valid"],
    "file_column": ["file", "A", "{file}", "{A}_{B:04}.png"],
    "network": ["mlp", "auto", "conv28", *CODE],
    "data": DATA,
    "only": ["A", "Smiling", "Hair", "Smiling,Smiling", "A,Hair"],
    "name": STUDIES + NAMES,
    "kinds": [
        "A=real",
        "A=ordinal:0<1",
        "Hair=categorical,A=binary",
        "Hair=real",
        "A=several",
        "Z=real",
    ],
    "join": ["X=A|B", "A=A|B", "X=A", "X="],
    "labels": [
        "ph/labels.csv",
        "t.csv",
        "folders",
        "pattern:{A}_*",
        "pattern:{",
        "A,Hair",
        "all",
        "some",
    ],
    "missing": ["0.5", "A=0.5", "2", "A=x"],
    "missing_marks": ["A=0", "0|1", "A=", "=", "A=x|y,B=z"],
    "frequencies": ["0.5", "0.5,x", "f.json", "1,2,3"],
    "labelled_schedule": ["0.9,0.1", "x", "2"],
    "format": ["text", "json", "svg", "tex", "gif"],
    "device": ["cpu", "cuda", "tpu"],
    "directory": ["r", "r", *PLACES],
    "shown": PLACES + CODE,
    "source": PLACES,
    "out": [*PLACES, "f.svg", "f.gif", "f.json"],
    "sheet": ["s.png", "s.mpg", "ph/labels.csv/s.png", ""],
    "images": ["0", "0,1", "99", "x", "-1"],
    "independent": ["x,y", "y[1],y[2]", "a+b,c", "all", "x", "z_c,z_style"],
    "given": ["x", "y", "z_c,z_c"],
    "blanket": ["x", "z_c", "nothing"],
    "do": ["y", "x", "y[1]", "nothing"],
}

SMALL = {"data": "faces:24", "epochs": "1", "network": "mlp", "port": "0"}
"""What is said first, so that a vector which is right is done soon."""

LARGE = ("traceback", "devices", "nodes", "download", "help", "version", "seeds")
"""Options that say more than a line, start processes, fetch files or take hours."""


def entries(action):
    """Strategies of the words that an option or a place takes; most of them may be right."""
    if action.nargs == 0:
        return st.just([])
    pool = POOLS.get(action.dest) or (["1", "0.5", "2"] if action.type is not None else ["cpu"])
    likely = st.sampled_from(pool * (1 + 200 // len(pool)) + WORDS + NUMBERS + PLACES)
    word = (
        likely if action.dest in POOLS else st.one_of(likely, likely, likely, st.text(max_size=9))
    )
    return st.lists(word, min_size=1, max_size=2 if action.nargs == "*" else 1)


def closed(server, sockets):
    """Serves nobody."""
    for each in sockets:
        each.close()


def joined(parts):
    return [word for part in parts for word in part]


def vectors(name):
    """Argument vectors of a command: its options, each with words that may be right, and strays."""
    actions = [a for a in PARSERS[name]._actions if a.dest not in LARGE]
    flags = [a for a in actions if a.option_strings]
    places = [a for a in actions if not a.option_strings]
    small = [a for a in flags if a.dest in SMALL and a.default is not None]  # not a run's own
    first = ["--dry-run"] * (name == "compare")  # which trains for long where it is right
    first += [word for a in small for word in (a.option_strings[-1], SMALL[a.dest])]
    option = st.one_of(
        [
            st.tuples(st.just(a.option_strings[-1]), entries(a)).map(lambda p: [p[0], *p[1]])
            for a in flags
        ]
    )
    stray = st.sampled_from([["--nothing"], ["stray", "words"], ["--out"], ["--"], ["--epochs=1"]])
    positional = st.tuples(*(entries(a) for a in places)).map(joined)
    rest = st.lists(st.one_of(*[option] * 6, stray) if flags else stray, max_size=3)
    return st.tuples(positional, rest).map(lambda p: [name, *first, *p[0], *joined(p[1])])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with images, tables and a run, where commands that would take long are brief."""
    place = tmp_path_factory.mktemp("vectors")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "path", [*sys.path])
        patch.setattr("ccvae.inference.training.baselines.CLASSIFIER_STEPS", 1)
        patch.setattr("ccvae.inference.runs.fitting.compile_networks", lambda *_: None)
        patch.setattr("ccvae.studies.comparisons.run.TABLES", {})
        patch.setattr("ccvae.studies.report.conduct.QUICK", ("beliefs",))
        patch.setattr(uvicorn.Server, "run", closed)
        config = Config(data="faces:24", network="mlp", epochs=1, only="Smiling", batch_size=9)
        patch.setattr(commands, "DEMO", config)
        labels = {"A": lambda i: i % 2, "B": lambda i: i // 2 % 2, "Hair": lambda i: "abc"[i % 3]}
        Path("t.csv").write_text(gray_images(**labels).replace(",", ";"))
        Path("f.json").write_text("[1")
        np.savez("a.npz", images=np.zeros((24, 8, 8, 3), np.uint8))
        words = ["--data", "images:ph", "--image-size", "8", "--network", "mlp", "--style", "2"]
        assert main(["train", *words, "--labelled", "1", "--epochs", "1", "--out", "r"]) == 0
        yield place


@pytest.mark.parametrize("name", PARSERS)
def test_any_vector_is_done_or_refused_in_a_line(home, capsys, name):
    mine = {path: path.read_bytes() for path in home.rglob("*") if path.suffix in (".png", ".csv")}

    @settings(
        max_examples=max(2, COUNT // SLOW.get(name, 1)),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(vectors(name))
    def check(vector):
        for made in ("runs", "new", "demo"):
            shutil.rmtree(home / made, ignore_errors=True)
        status, out, err = call(capsys, *vector)
        assert status in (0, 2), (vector, err)
        assert "Traceback" not in err, vector
        if status == 2:
            assert out == "", vector
            last = err.splitlines()[-1]
            assert last.startswith("ccvae"), (vector, err)
            assert len(last) > len(f"ccvae {name}: "), (vector, err)

    check()
    assert {path: path.read_bytes() for path in mine} == mine
