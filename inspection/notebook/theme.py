"""How inspections look in a notebook: a style sheet for light and dark, and the legend's lines."""

from __future__ import annotations

import re

SHOWN = "ccvae-shown"
"""The class of everything that shows itself."""

LIGHT = {
    "paper": "#ffffff",
    "ink": "#16191d",
    "muted": "#5b6470",
    "line": "#d5dae1",
    "shade": "#c9ced6",
    "prior": "#b34700",
    "classifier": "#0063a8",
    "guide": "#4b535e",
    "missing": "#d0021b",
    "set": "#ffe39a",
    "chart": "none",
}

DARK = {
    "paper": "#14161a",
    "ink": "#e8eaee",
    "muted": "#a6aebb",
    "line": "#3a4049",
    "shade": "#4b5360",
    "prior": "#f0935a",
    "classifier": "#6fb4ea",
    "guide": "#a6aebb",
    "missing": "#ff7d76",
    "set": "#6b5310",
    "chart": "invert(0.91) hue-rotate(180deg)",
}
"""Colours by what they are for. All texts keep a contrast of 4.5 and more with the paper.

A chart is drawn on white; on a dark page its light is turned round and its hues are kept.
"""

MARKS = {
    True: ('[data-jp-theme-light="false"]', ".vscode-dark", '[data-theme="dark"]', "[theme=dark]"),
    False: ('[data-jp-theme-light="true"]', ".vscode-light", '[data-theme="light"]'),
}
"""What Jupyter, VS Code, Sphinx and Colab mark a page with that is dark, or light.

Where there is no mark, the reader's system decides.
"""

FIGURE = """
svg.plates { max-width: 100%; height: auto; overflow: visible; font: 11px system-ui, sans-serif; }
.plates .plate { fill: none; stroke: var(--muted); stroke-width: 1; }
.plates .steps { stroke-dasharray: 5 3; }
.plates .plate-name { fill: var(--muted); font-size: 11px; }
.plates .small { font-size: 8.5px; }
.plates .body { fill: var(--paper); }
.plates .outline { fill: none; stroke: var(--ink); stroke-width: 1.4; }
.plates .observed .body, .plates .input .body, .plates .shade { fill: var(--shade); }
.plates .input .outline { stroke: none; }
.plates .auxiliary .outline { stroke-dasharray: 4 3; }
.plates .intervened .body { fill: var(--set); }
.plates .intervened .outline { stroke-width: 3.4; }
.plates .factor .body { fill: var(--ink); }
.plates .block .body { fill: var(--paper); }
.plates .earlier { opacity: .55; }
.plates .symbol, .plates .script {
  font: italic 18px "STIX Two Text", Cambria, "Times New Roman", serif; fill: var(--ink);
}
.plates .word { font-size: 15px; }
.plates .script, .plates .mark { font-size: 12px; }
.plates .mark { fill: var(--muted); }
.plates .law { font-size: 9px; fill: var(--muted); }
.plates .arrow path { fill: none; stroke: var(--ink); stroke-width: 1.4; }
.plates .arrow polygon { fill: var(--ink); }
.plates .conditional-prior path { stroke: var(--prior); stroke-width: 2.8; }
.plates .conditional-prior polygon { fill: var(--prior); }
.plates .inference path { stroke: var(--guide); stroke-dasharray: 6 4; }
.plates .inference polygon { fill: var(--guide); }
.plates .label-classifier path {
  stroke: var(--classifier); stroke-width: 2.4; stroke-dasharray: 2 3;
}
.plates .label-classifier polygon { fill: var(--classifier); }
.plates .missing path { stroke: var(--missing); stroke-width: 2; stroke-dasharray: 2 4; }
.plates .missing polygon { fill: var(--missing); }
"""

PAGE = """
.ccvae-shown {
  color: var(--ink); background: var(--paper); max-width: 62rem; padding: .7rem .9rem;
  border: 1px solid var(--line); border-radius: 8px; font: 14px/1.5 system-ui, sans-serif;
}
.ccvae-shown h4 { margin: .1rem 0 .5rem; font-size: 1rem; color: var(--ink); }
.ccvae-shown img.chart { filter: var(--chart); }
.ccvae-shown .figure { text-align: center; }
.ccvae-shown svg.plates { max-height: 34rem; }
.ccvae-shown .legend {
  list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; justify-content: center;
  margin: .4rem 0 .6rem; padding: 0; font-size: .87em;
}
.ccvae-shown .legend li { display: flex; align-items: center; gap: .4rem; margin: 0; }
.ccvae-shown .side { color: var(--muted); font-size: .87em; margin: .5rem 0 .1rem; }
.ccvae-shown .formula {
  margin: 0 0 .4rem; padding: .1em 0 .3em; line-height: 1.9; overflow-x: auto; overflow-y: hidden;
}
.ccvae-shown .scroll { overflow-x: auto; margin: .6rem 0; }
.ccvae-shown table { border-collapse: collapse; font-size: .87em; margin: 0; color: var(--ink); }
.ccvae-shown tr, .ccvae-shown tbody tr:nth-child(odd) { background: none; }
.ccvae-shown th, .ccvae-shown td {
  text-align: left; padding: .15rem .7rem .15rem 0; border: 0; white-space: nowrap;
  color: var(--ink); background: none;
}
.ccvae-shown th { color: var(--muted); font-weight: 500; border-bottom: 1px solid var(--line); }
.ccvae-shown .note { color: var(--muted); font-size: .87em; margin: .3rem 0; }
.ccvae-shown .problem { border-left: 3px solid var(--missing); padding-left: .6rem; }
.ccvae-shown pre {
  white-space: pre-wrap; font-size: .87em; color: var(--ink); background: none; margin: .3rem 0;
}
"""


def page_style() -> str:
    """The style element of an output in a notebook."""
    dark = _inside(MARKS[True])
    light = _inside(MARKS[False])
    rules = [
        f".{SHOWN} {{ {_colours(LIGHT)} }}",
        f"@media (prefers-color-scheme: dark) {{ .{SHOWN} {{ {_colours(DARK)} }} }}",
        f"{light} {{ {_colours(LIGHT)} }}",
        f"{dark} {{ {_colours(DARK)} }}",
    ]
    return f"<style>{''.join(rules)}{FIGURE}{PAGE}</style>"


def figure_style() -> str:
    """The style element of a figure that stands alone, as a file does.

    Its colours are written out: what draws SVG outside of a browser knows no variables of CSS, and
    would fill everything with black.
    """
    light, dark = _written_out(LIGHT), _written_out(DARK)
    return f"<style>{light}@media (prefers-color-scheme: dark) {{ {dark} }}</style>"


def _written_out(theme: dict[str, str]) -> str:
    rules = f"svg.plates {{ background: var(--paper); }}{FIGURE}"
    return re.sub(r"var\(--(\w+)\)", lambda name: theme[name[1]], rules)


def _colours(theme: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in theme.items())


def _inside(marks: tuple[str, ...]) -> str:
    return ", ".join(f"{mark} .{SHOWN}" for mark in marks)
