"""How Sphinx builds the documentation: `make docs`."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version as installed
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from sphinx.ext.napoleon import GoogleDocstring

from ccvae.cli import build_parser

sys.path.append(str(Path(__file__).parent))
import gallery

project = "ccvae"
author = "The ccvae developers"
release = version = installed("ccvae")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
]
templates_path = ["_templates"]
exclude_patterns = ["build"]
html_theme = "furo"
html_title = "ccvae"
html_show_sphinx = html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]
mathjax3_config = {"chtml": {"scale": 0.92}}

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3

autosummary_ignore_module_all = True
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# The docstring of a constant is a sentence here: what stands before a colon in it is no type.
GoogleDocstring._parse_attribute_docstring = GoogleDocstring._consume_to_next_section

# References into the suite must lead somewhere; those to other packages need not.
nitpicky = True
VARIABLES = (
    "inference.training.average.Kind",
    "inspection.asking.dag.Node",
    "inspection.graphs.folding.G",
    "inference.training.engine.T",
    "inspection.recording.arguments.T",
    "loading.Kind",
    "models.labelled.Part",
    "networks.starting.Module",
    "web.steering.Kind",
)
"""Type variables, which have no page."""

nitpick_ignore_regex = [
    ("py:.*", r"(?!ccvae\.).*"),
    ("py:.*", r".*\.(Result|G)"),
    *(("py:.*", rf"ccvae\.{name}") for name in VARIABLES),
]
suppress_warnings = ["ref.python"]


def command_line() -> str:
    """Every command with its options as Markdown, from the parser that reads them."""
    commands = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    summaries = {action.dest: action.help for action in commands._choices_actions}
    parts = []
    for name, parser in commands.choices.items():
        usage = " ".join(
            ["ccvae", name, *(a.metavar or a.dest.upper() for a in positional(parser))]
        )
        rows = [
            f"| `{'`, `'.join(spelt(a))}` | {cell(a.help)} |"
            for a in parser._actions
            if a.dest != "help"
        ]
        table = "\n".join(["| option | meaning (default) |", "|---|---|", *rows])
        parts.append(f"## {usage}\n\n{summaries[name].capitalize()}.\n\n{table}\n")
    return "\n".join(parts)


def positional(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The arguments of a command that have no dashes."""
    return [action for action in parser._actions if not action.option_strings]


def spelt(action: argparse.Action) -> list[str]:
    """How an argument is written, its short form first."""
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return [f"{flag}{value}" for flag in action.option_strings] or [value.strip()]


def cell(text: str | None) -> str:
    """A help text as the cell of a table."""
    return (text or "").replace("|", "\\|")


def write_command_line(_: object, page: str, source: list[str]) -> None:
    """Complete the page of the command line as it is read."""
    if page == "reference/command-line":
        source[0] += command_line()


def write_gallery(_: object, page: str, source: list[str]) -> None:
    """Complete the gallery's page as it is read."""
    if page == "gallery":
        source[0] += gallery.page()


def find_public(app: Any, env: Any, node: Any, text: Any) -> Any:
    """Lead a reference to a package's public name to the module that documents it."""
    try:
        found = resolve_name(node.get("reftarget", ""))
        target = f"{found.__module__}.{found.__qualname__}"
    except (ImportError, AttributeError, ValueError):
        return None
    python = env.domains["py"]
    return python.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, text)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", write_command_line)
    app.connect("source-read", write_gallery)
    app.connect("missing-reference", find_public)
