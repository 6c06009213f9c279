"""The command ``ccvae``. Only the standard library is imported before a command runs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import keyword
import shlex
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from . import __version__
from .asking import LISTED, Parser, add_comparison
from .config import SOURCE, Config
from .faults import is_want_of_memory, place_of, words_of
from .flags import add_option
from .lock import check_alone
from .ranges import above, whole
from .specification import default_directory

Document = dict[str, Any]

LOOKING = ("inspect", "models", "objectives")
"""Commands that train nothing."""

WRITING = ("train", "demo")
"""Commands of which one at a time writes into a directory."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status, 2 where the input was at fault."""
    options = build_parser().parse_args(arguments)
    commands: Any = None
    try:
        if options.command in WRITING:
            options.out = options.out or _directory_of(options)
            check_alone(options.out)
        commands = import_module(
            f"{__package__}.{'looking' if options.command in LOOKING else 'commands'}"
        )
        # `import` is a word of the language; its function is called import_.
        name = options.command + "_" * keyword.iskeyword(options.command)
        document, text, *after = getattr(commands, name)(options)
        print(json.dumps(_standard(document), indent=2) if options.json else text, flush=True)
        for serve in after:
            serve()
    except KeyboardInterrupt:  # also while the command is still being imported
        _say(f"ccvae {options.command}: interrupted")
        return 130
    except Exception as error:
        if commands is not None and isinstance(error, commands.Stopped):
            again = list(sys.argv[1:] if arguments is None else arguments)
            resume = [] if {"--resume", "compare"} & {*again} else ["--resume"]
            _say(f"{error}; to go on: {shlex.join(['ccvae', *again, *resume])}")
            return 128 + error.signal
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


def build_parser() -> argparse.ArgumentParser:
    """The command line as ``--help`` shows it."""
    parser = Parser(
        prog="ccvae", description="Semi-supervised VAEs as Pyro programs: train, compare, look."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _command(commands, "models", "list the programs and the objectives that apply to each")

    inspect = _command(commands, "inspect", "sites, plates, densities and figure of a program")
    inspect.add_argument(
        "program", nargs="?", default=Config.program, help=f"{_PROGRAM}, or module:model,guide"
    )
    inspect.add_argument("--objective", default=Config.objective, help="(the program's)")
    inspect.add_argument("--labels", default="some", help="known ones: none, all or some (some)")
    inspect.add_argument("--data", default=Config.data, metavar="SPEC", help=_SPEC)
    inspect.add_argument("--only", default=Config.only, help="names of the labels to use (some)")
    inspect.add_argument("--network", default=Config.network, help="see ccvae train (auto)")
    inspect.add_argument("--inputs", default="", metavar="MODULE:FUNCTION", help=_INPUTS)
    inspect.add_argument("--independent", default="", metavar="A,B", help=_INDEPENDENT)
    inspect.add_argument("--given", default="", metavar="C,…", help="what --independent is given")
    inspect.add_argument("--blanket", default="", metavar="A", help="its Markov blanket")
    inspect.add_argument("--inverse", action="store_true", help=_INVERSE)
    inspect.add_argument("--do", default="", metavar="A,…", help=_DO)
    inspect.add_argument("--format", default="", help="text, json, svg, png, pdf or tex (text)")
    inspect.add_argument("--beside", action="store_true", help="model and guide side by side")
    inspect.add_argument("--numbers", action="store_true", help="sizes as numbers in the figure")
    inspect.add_argument("--distributions", action="store_true", help=_DISTRIBUTIONS)
    inspect.add_argument("--caption", action="store_true", help="words and sizes below the figure")
    inspect.add_argument("--deterministic", action="store_true", help=_DETERMINISTIC)
    inspect.add_argument("-o", "--out", type=Path, default=None, metavar="FILE", help=_FILE)

    objectives = _command(commands, "objectives", "Table 1: every objective as a formula")
    objectives.add_argument("--objective", default="", help="one alone, of your own too (all)")
    objectives.add_argument("--program", default="", help="to show it on (one that fits)")
    objectives.add_argument("--format", default="", help="text, json or tex (text)")
    objectives.add_argument("-o", "--out", type=Path, default=None, metavar="FILE", help=_FILE)

    train = _command(commands, "train", "train a program into a run directory")
    train.add_argument("program", nargs="?", default=Config.program, help=_PROGRAM)
    for option in dataclasses.fields(Config):
        if option.name != "program":
            add_option(train, option)
    _add_source(train)
    train.add_argument("--out", type=Path, default=None, metavar="DIR", help=_OUT)
    train.add_argument("--resume", action="store_true", help="go on where the checkpoint stands")
    train.add_argument("--changed-data", action="store_true", help=_CHANGED)
    steps, minutes = whole(1, 10**9), above(0, 10**6)
    train.add_argument("--log-every", type=steps, default=50, metavar="STEPS", help=_LOG)
    train.add_argument("--save-minutes", type=minutes, default=10.0, metavar="M", help=_SAVE)
    train.add_argument("--compile", action="store_true", help=_COMPILE)
    _add_device(train)
    several = whole(1, 10**4)
    train.add_argument("--devices", type=several, default=1, help="on each machine (1)")
    train.add_argument("--nodes", type=several, default=1, help="machines that share it (1)")

    evaluate = _command(commands, "evaluate", "accuracy, bound and baselines of a run")
    evaluate.add_argument("directory", type=Path, metavar="DIR", help="a run directory")
    evaluate.add_argument("--data", default=None, metavar="SPEC", help=_MOVED)
    evaluate.add_argument("--labels", default=None, metavar="FILE", help=_TABLE_MOVED)
    _add_trust(evaluate)
    _add_device(evaluate)

    published = _command(commands, "import", "the published weights of CC-VAE as a run directory")
    published.add_argument("source", type=Path, metavar="DIR", help=_PUBLISHED)
    published.add_argument("--data", default="celeba:celeba", metavar="SPEC", help=_EVALUATED)
    published.add_argument("--only", default="", help=_IN_ORDER)
    published.add_argument(
        "--labelled", type=float, default=1.0, metavar="FLOAT", help=f"{_LABELLED} (1.0)"
    )
    published.add_argument("--frequencies", default="", metavar="P,P,…|FILE", help=_FREQUENCIES)
    _add_source(published)
    published.add_argument("--out", type=Path, default=None, metavar="RUN", help="(runs/DIR)")

    data = _command(commands, "data", "describe a data set")
    data.add_argument("data", nargs="?", default=Config.data, metavar="SPEC", help=_SPEC)
    data.add_argument("--only", default=Config.only, help="names of the labels to use (all)")
    data.add_argument("--sheet", type=Path, default=None, metavar="FILE", help=_SHEET)
    _add_source(data)

    study = _command(commands, "study", "look at a trained run, and renew its report")
    study.add_argument("name", metavar="NAME", help="a study, or all")
    study.add_argument("directory", type=Path, metavar="DIR", help="a run directory")
    study.add_argument("--images", default="", help=_IMAGES)
    study.add_argument("--data", default=None, metavar="SPEC", help=_MOVED)
    study.add_argument("--labels", default="", metavar="NAMES|FILE", help=_NAMES)
    _add_trust(study)
    _add_device(study)

    compare = _command(commands, "compare", "train methods side by side, with tables and a report")
    for option in (each for each in dataclasses.fields(Config) if each.name not in LISTED):
        add_option(compare, option)
    _add_source(compare)
    _add_trust(compare)
    _add_device(compare)
    add_comparison(compare)
    table = _command(commands, "table", "rerun one of the committed comparisons")
    table.add_argument("name", nargs="?", default="diva", metavar="NAME", help=_TABLE)
    table.add_argument(
        "--seeds", type=whole(1, 1000), default=1, help="repetitions of every training (1)"
    )
    table.add_argument("--out", type=Path, default=Path("docs/tables"), metavar="DIR", help=_TABLES)
    _add_device(table)

    demo = _command(commands, "demo", "train CC-VAE on rendered faces and write a report")
    demo.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="(demo)")
    demo.add_argument("--seed", type=whole(0, 2**63 - 1), default=Config.seed, help="(0)")
    demo.add_argument("--resume", action="store_true", help=_AGAIN)
    _add_device(demo)

    app = _command(commands, "app", "the teaching page, on this machine (extra [app])")
    app.add_argument("shown", nargs="*", metavar="DIR|MODULE:MODEL,GUIDE", help=_SHOWN)
    app.add_argument("--inputs", default="", metavar="MODULE:FUNCTION", help=_INPUTS)
    port = whole(0, 2**16 - 1)
    app.add_argument("--port", type=port, default=8000, help="0 takes a free one (8000)")
    app.add_argument("--export", type=Path, default=None, metavar="FOLDER", help=_EXPORT)
    _add_trust(app)
    _add_device(app)
    return parser


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
_TABLE = "diva, m2, multiclass or objectives (diva)"
_SHOWN = "a run for the room of faces (the package's), and programs, drawn anew when saved (none)"
_EXPORT = "write all rooms there with what they answer, for any web server, and serve nothing"
_INPUTS = "returns your programs' arguments"
_AGAIN = "go on where a stopped demo stands; a finished one is made anew without it"
_TRUST = (
    "a module whose classes the run may name as its objective or network, once for each; reading a "
    "run imports nothing else (none)"
)
_TABLES = "where NAME.md and NAME.json are written (docs/tables)"


def _command(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--traceback", action="store_true", help="show where an error comes from")
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    """What can be said about data sets that are read from files."""
    group = parser.add_argument_group("data sets")
    for name, option in SOURCE.items():
        kind: Any = whole(*option.range) if option.range else str
        metavar = "FILE" if option.is_path else "INT" if option.range else "STR"
        flag = f"--{name.replace('_', '-')}"
        group.add_argument(flag, type=kind, default=None, metavar=metavar, help=option.text)
    group.add_argument("--download", action="store_true", help="fetch celeba:ROOT if it is missing")


def _add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--trust", action="append", default=[], metavar="MODULE", help=_TRUST)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (auto)")
