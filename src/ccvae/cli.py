"""The command ``ccvae``. Only the standard library is imported before a command runs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import keyword
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from . import __version__
from .asking import (
    LISTED,
    Parser,
    add_comparison,
    add_device,
    add_source,
    add_trust,
    new_command,
)
from .config import Config
from .faults import is_want_of_memory, place_of, words_of
from .flags import add_option
from .lock import check_alone
from .ranges import above, whole
from .specification import default_directory
from .stopping import Stopped

Document = dict[str, Any]

ELSEWHERE = {
    **dict.fromkeys(("inspect", "models", "objectives"), "looking"),
    **dict.fromkeys(("data", "app"), "listing"),
    "compare": "comparing",
    "import": "importing",
}
"""The modules of commands that are not among ``commands``, which a training does not wait for."""

WRITING = ("train", "demo")
"""Commands of which one at a time writes into a directory."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status, 2 where the input was at fault."""
    words = sys.argv[1:] if arguments is None else arguments
    asked = next((word for word in words if not word.startswith("-")), "")
    options = build_parser(asked).parse_args(words)
    try:
        if options.command in WRITING:
            options.out = options.out or _directory_of(options)
            check_alone(options.out)
        commands: Any = import_module(f"{__package__}.{ELSEWHERE.get(options.command, 'commands')}")
        # `import` is a word of the language; its function is called import_.
        name = options.command + "_" * keyword.iskeyword(options.command)
        document, text, *after = getattr(commands, name)(options)
        print(json.dumps(_standard(document), indent=2) if options.json else text, flush=True)
        for serve in after:
            serve()
    except BrokenPipeError:  # whoever read has seen enough, as head has
        # What Python flushes as it ends has somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:  # also while the command is still being imported
        _say(f"ccvae {options.command}: interrupted")
        return 130
    except Stopped as stopped:
        resume = [] if {"--resume", "compare"} & {*words} else ["--resume"]
        _say(f"{stopped}; to go on: {shlex.join(['ccvae', *words, *resume])}")
        return 128 + stopped.signal
    except Exception as error:
        return _failed(options, error)
    return 0


def _directory_of(options: argparse.Namespace) -> Path:
    names = (options.objective or options.program, options.inputs or options.data)
    return default_directory(options.program, *names, options.seed)


def _failed(options: argparse.Namespace, error: Exception) -> int:
    """Say what was wrong with the input or with a user's own code; anything else is our fault."""
    if options.traceback:
        _say("".join(traceback.format_exception(error)))
    if is_want_of_memory(error):
        _say(f"ccvae {options.command}: there is not enough memory for this; ask for less")
    elif isinstance(error, ValueError | OSError):
        _say(f"ccvae {options.command}: {words_of(error)}")
    elif place_of(error):
        more = "" if options.traceback else "; repeat the command with --traceback for the whole"
        _say(f"ccvae {options.command}: {words_of(error)}{more}")
    else:
        raise error
    return 2


def _say(line: str) -> None:
    # A closed standard error is None: what is said is not for standard output instead.
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)


def _standard(value: Any) -> Any:
    """The same document with null for NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _standard(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_standard(item) for item in value]
    return None if isinstance(value, float) and value != value else value


def build_parser(asked: str = "") -> argparse.ArgumentParser:
    """The command line as ``--help`` shows it.

    Args:
        asked: the command whose options are wanted; those of all by default.
    """
    parser = Parser(
        prog="ccvae", description="Semi-supervised VAEs as Pyro programs: train, compare, look."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = partial(new_command, commands, asked)

    command("models", "list the programs and the objectives that apply to each")

    inspect = command("inspect", "sites, plates, densities and figure of a program")
    inspect.add_argument(
        "program", nargs="?", default=Config.program, help=f"{_PROGRAM}, or module:model,guide"
    )
    inspect.add_argument("--objective", default=Config.objective, help="(the program's)")
    inspect.add_argument(
        "--labels", default="some", metavar="none|all|some", help="which are known (some)"
    )
    inspect.add_argument("--data", default=Config.data, metavar="SPEC", help=_SPEC)
    inspect.add_argument("--only", default=Config.only, help="names of the labels to use (some)")
    inspect.add_argument("--network", default=Config.network, help="see ccvae train (auto)")
    inspect.add_argument("--inputs", default="", metavar="MODULE:FUNCTION", help=_INPUTS)
    inspect.add_argument("--independent", default="", metavar="A,B", help=_INDEPENDENT)
    inspect.add_argument("--given", default="", metavar="C,…", help="what --independent is given")
    inspect.add_argument("--blanket", default="", metavar="A", help="its Markov blanket")
    inspect.add_argument("--inverse", action="store_true", help=_INVERSE)
    inspect.add_argument("--do", default="", metavar="A,…", help=_DO)
    inspect.add_argument("--format", default="", metavar="text|json|svg|png|pdf|tex", help=_FORM)
    inspect.add_argument("--beside", action="store_true", help="model and guide side by side")
    inspect.add_argument("--numbers", action="store_true", help="sizes as numbers in the figure")
    inspect.add_argument("--distributions", action="store_true", help=_DISTRIBUTIONS)
    inspect.add_argument("--caption", action="store_true", help="words and sizes below the figure")
    inspect.add_argument("--deterministic", action="store_true", help=_DETERMINISTIC)
    inspect.add_argument("-o", "--out", type=Path, default=None, metavar="FILE", help=_FILE)

    objectives = command("objectives", "Table 1: every objective as a formula")
    objectives.add_argument("--objective", default="", help="one alone, of your own too (all)")
    objectives.add_argument("--program", default="", help="to show it on (one that fits)")
    objectives.add_argument("--format", default="", metavar="text|json|tex", help=_FORM)
    objectives.add_argument("-o", "--out", type=Path, default=None, metavar="FILE", help=_FILE)

    train = command("train", "train a program into a run directory")
    train.add_argument("program", nargs="?", default=Config.program, help=_PROGRAM)
    for option in dataclasses.fields(Config):
        if option.name != "program":
            add_option(train, option)
    add_source(train)
    train.add_argument("--out", type=Path, default=None, metavar="DIR", help=_OUT)
    train.add_argument("--resume", action="store_true", help="go on where the checkpoint stands")
    train.add_argument("--changed-data", action="store_true", help=_CHANGED)
    steps, minutes = whole(1, 10**9), above(0, 10**6)
    train.add_argument("--log-every", type=steps, default=50, metavar="STEPS", help=_LOG)
    train.add_argument("--save-minutes", type=minutes, default=10.0, metavar="M", help=_SAVE)
    train.add_argument("--compile", action="store_true", help=_COMPILE)
    add_device(train)
    several = whole(1, 10**4)
    train.add_argument("--devices", type=several, default=1, help="on each machine (1)")
    train.add_argument("--nodes", type=several, default=1, help="machines that share it (1)")

    evaluate = command("evaluate", "accuracy, bound and baselines of a run")
    evaluate.add_argument("directory", type=Path, metavar="DIR", help="a run directory")
    evaluate.add_argument("--data", default=None, metavar="SPEC", help=_MOVED)
    evaluate.add_argument("--labels", default=None, metavar="FILE", help=_TABLE_MOVED)
    add_trust(evaluate)
    add_device(evaluate)

    published = command("import", "the published weights of CC-VAE as a run directory")
    published.add_argument("source", type=Path, metavar="DIR", help=_PUBLISHED)
    published.add_argument("--data", default="celeba:celeba", metavar="SPEC", help=_EVALUATED)
    published.add_argument("--only", default="", help=_IN_ORDER)
    published.add_argument(
        "--labelled", type=float, default=1.0, metavar="FLOAT", help=f"{_LABELLED} (1.0)"
    )
    published.add_argument("--frequencies", default="", metavar="P,P,…|FILE", help=_FREQUENCIES)
    add_source(published)
    published.add_argument("--out", type=Path, default=None, metavar="RUN", help="(runs/DIR)")

    data = command("data", "describe a data set")
    data.add_argument("data", nargs="?", default=Config.data, metavar="SPEC", help=_SPEC)
    data.add_argument("--only", default=Config.only, help="names of the labels to use (all)")
    data.add_argument("--sheet", type=Path, default=None, metavar="FILE", help=_SHEET)
    add_source(data)

    study = command("study", "look at a trained run, and renew its report")
    study.add_argument("name", metavar="NAME", help=_STUDIES)
    study.add_argument("directory", type=Path, metavar="DIR", help="a run directory")
    study.add_argument("--images", default="", help=_IMAGES)
    study.add_argument("--data", default=None, metavar="SPEC", help=_MOVED)
    study.add_argument("--labels", default="", metavar="NAMES|FILE", help=_NAMES)
    study.add_argument("--matcher", default="xfeat", help=_MATCHER)
    add_trust(study)
    add_device(study)

    compare = command("compare", "train methods side by side, with tables and a report")
    for option in (each for each in dataclasses.fields(Config) if each.name not in LISTED):
        add_option(compare, option)
    add_source(compare)
    add_trust(compare)
    add_device(compare)
    add_comparison(compare)
    table = command("table", "rerun one of the committed comparisons")
    table.add_argument("name", nargs="?", default="diva", metavar="NAME", help=_TABLE)
    table.add_argument(
        "--seeds", type=whole(1, 1000), default=1, help="repetitions of every training (1)"
    )
    table.add_argument("--out", type=Path, default=None, metavar="DIR", help=_TABLES)
    add_device(table)

    demo = command("demo", "train CC-VAE on rendered faces and write a report")
    demo.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="(demo)")
    demo.add_argument("--seed", type=whole(0, 2**63 - 1), default=Config.seed, help="(0)")
    demo.add_argument("--resume", action="store_true", help=_AGAIN)
    add_device(demo)

    app = command("app", "the teaching page, on this machine (extra [app])")
    app.add_argument("shown", nargs="*", metavar="DIR|MODULE:MODEL,GUIDE", help=_SHOWN)
    app.add_argument("--inputs", default="", metavar="MODULE:FUNCTION", help=_INPUTS)
    app.add_argument("--objective", default="", metavar="MODULE:CLASS", help=_MINE)
    port = whole(0, 2**16 - 1)
    app.add_argument("--port", type=port, default=8000, help="0 takes a free one (8000)")
    app.add_argument("--export", type=Path, default=None, metavar="FOLDER", help=_EXPORT)
    add_trust(app)
    add_device(app)
    return parser


_MINE = "one of your own, shown and trained beside the suite's (none)"
_PROGRAM = "see ccvae models (ccvae)"
_INDEPENDENT = "whether the model states it: z_c,z_style; cells as y[1],y[2]; sets as a+b,c; or all"
_INVERSE = "what the posterior needs and the guide lacks; drawn dotted and red"
_DISTRIBUTIONS = "every variable's distribution and parameters too, in the figure in its node"
_DETERMINISTIC = "pyro.deterministic as nodes; by default arrows go through them"
_DO = "the model with these set from outside"
_LOG = "between two lines of steps.jsonl (50)"
_COMPILE = "compile the networks first, for long trainings"
_CHANGED = "with --resume: also where images or entries are others than they were"
_SAVE = "between two checkpoints within an epoch (10)"
_FILE = "where it is written; its ending decides the format (the screen)"
_OUT = "the run directory (runs/PROGRAM-OBJECTIVE-DATA-SEED)"
_SPEC = (
    "faces, faces:N, digits, digits:ROOT, rotated-digits, rotated-digits:ANGLE, celeba:ROOT, "
    "images:DIR or images:FILE.npz (faces)"
)
_PUBLISHED = "holds encoder.pt, decoder.pt, classifier.pt and cond_prior.pt"
_EVALUATED = "what the run is evaluated on (celeba:celeba)"
_IN_ORDER = "names of the classifier's labels, in its order (the paper's 18)"
_LABELLED = "fraction of the training rows that showed their labels"
_FREQUENCIES = "p(y = 1) of every label, or a JSON file with it by name (0.5 each)"
_SHEET = "a picture with examples of every class is written there (none)"
_IMAGES = "positions among the test images, as 3,14, for traversal and multiclass (some)"
_MOVED = "where the run's images lie now (where they lay)"
_TABLE_MOVED = "where their table lies now (where it lay, or beside them)"
_NAMES = (
    "names of labels, by commas, for traversal and multiclass (all); or a file, where the images' "
    "table lies now"
)
_MATCHER = "of matching: xfeat, sift or superglue:FOLDER, as transformers saves it (xfeat)"
_TABLE = "diva, m2, multiclass or objectives (diva)"
_SHOWN = "a run for the room of faces (the package's), and programs, drawn anew when saved (none)"
_EXPORT = "write all rooms there with what they answer, for any web server, and serve nothing"
_INPUTS = "returns your programs' arguments"
_AGAIN = "go on where a stopped demo stands; a finished one is made anew without it"
_TABLES = "where NAME.md and NAME.json are written as well (nowhere)"
_FORM = "what is written (by the file's ending, else text)"
_STUDIES = (
    "reconstruction, beliefs, intervention, traversal, embedding, multiclass, generation, swap, "
    "locality, confusion, disentanglement, matching, or all"
)
