"""Executed notebooks as pages and as slides that load nothing: each is one file.

Formulas become MathML, which browsers draw themselves; reveal.js, which turns sections into slides,
stands in the file, as it comes with sphinx-revealjs.
"""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader
from latex2mathml.converter import convert
from nbconvert import HTMLExporter, SlidesExporter
from traitlets.config import Config

sys.path.append(str(Path(__file__).parent))
from fitting import CODE, FIGURE, HEIGHT, WIDTH, fitted

REVEAL = files("sphinx_revealjs") / "_static" / "revealjs"

LOADS_NOTHING = """\
{%- block html_head_js -%}{%- endblock -%}
{% block jupyter_widgets %}{% endblock %}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""

PAGE = "{%- extends 'index.html.j2' -%}\n" + LOADS_NOTHING

SLIDES = (
    PAGE
    + """\
{% block footer_js %}
<script>{{ resources.own.reveal }}</script>
<script>{{ resources.own.notes }}</script>
<script>
Reveal.initialize({
  controls: true, progress: true, history: true, transition: "none", plugins: [RevealNotes],
  width: {{ resources.own.width }}, height: {{ resources.own.height }}, center: false, margin: 0.03,
});
function room() {
  const slide = Reveal.getCurrentSlide();
  const tall = slide.scrollHeight > Reveal.getConfig().height;
  slide.classList.toggle("scrolling", tall);
  if (tall) { slide.setAttribute("tabindex", "0"); }
}
Reveal.on("ready", room);
Reveal.on("slidechanged", room);
</script>
{% endblock footer_js %}
"""
)

STYLE = """\
math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", math; }
math[display="block"] { margin: .7em 0; padding: .2em 0; overflow-x: auto; overflow-y: hidden; }
"""

PRINTED = """\
.jp-OutputArea-output pre, .jp-RenderedText pre {
  white-space: pre-wrap; word-break: normal; overflow-wrap: break-word;
}
"""
"""What was printed breaks between words."""

SLIDE_STYLE = f"""\
.reveal {{ font-size: 20px; }}
.reveal h1, .reveal h2, .reveal h3 {{ text-transform: none; font-family: inherit; }}
.reveal h1 {{ font-size: 1.9em; }} .reveal h2 {{ font-size: 1.5em; }}
.reveal .slides {{ text-align: left; }}
.reveal .slides section {{ height: 100%; box-sizing: border-box; }}
.reveal .slides section.scrolling {{ overflow-y: auto; }}
.reveal .slides section > section {{ height: {HEIGHT}px; }}
.reveal math[display="block"] {{ font-size: .88em; }}
.reveal .highlight pre, .reveal .jp-OutputArea-output pre {{
  box-shadow: none; width: 100%; max-height: none; margin: 0;
  font-size: 17px !important; line-height: {CODE}px !important;
  white-space: pre-wrap; word-break: normal; overflow-wrap: break-word;
}}
.reveal .jp-Cell-outputArea img, .reveal svg.plates {{ max-height: {FIGURE}px; width: auto; }}
"""


def page(notebook: Any) -> str:
    """A notebook with its outputs as one page."""
    return _exported(notebook, HTMLExporter, PAGE, {}, STYLE + PRINTED)


def slides(notebook: Any) -> str:
    """A notebook with its outputs as slides: a section in one, or in as many as it needs."""
    own = {
        "reveal": _of_reveal("dist/reveal.js"),
        "notes": _of_reveal("plugin/notes/notes.js"),
        "width": str(WIDTH),
        "height": str(HEIGHT),
    }
    made = _exported(fitted(notebook), SlidesExporter, SLIDES, own, STYLE + PRINTED + SLIDE_STYLE)
    return re.sub(r'<link [^>]*href="reveal/(dist/[^"]+)"[^>]*>', _style, made)


def _style(link: re.Match[str]) -> str:
    """What a style sheet of reveal.js says, without the fonts that it would load."""
    return f"<style>{re.sub(r'@import url[^;]*;', '', _of_reveal(link[1]))}</style>"


def _exported(
    notebook: Any, exporter: Callable[..., Any], template: str, own: dict[str, str], style: str
) -> str:
    shown, formulas = _with_marks(notebook)
    config = Config({"SlidesExporter": {"reveal_url_prefix": "reveal", "reveal_theme": "white"}})
    loader = DictLoader({"offline.html.j2": template})
    made, _ = exporter(
        config=config,
        extra_loaders=[loader],
        template_file="offline.html.j2",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    ).from_notebook_node(shown, resources={"own": own})
    made = MARK.sub(lambda found: formulas[int(found[1])], made)
    return made.replace("</head>", f"<style>{style}</style></head>", 1)


def _of_reveal(path: str) -> str:
    return (REVEAL / path).read_text(encoding="utf-8")


MARK = re.compile(r"formula§(\d+)§")
"""What stands for a formula while Markdown is read, which would take its signs for its own."""

MATH = re.compile(r"(?P<code>`[^`]*`)|\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$]+?)\$", re.S)


def _with_marks(notebook: Any) -> tuple[Any, list[str]]:
    """A copy of a notebook with a mark for each formula of its texts, and the formulas."""
    copy, formulas = deepcopy(notebook), []

    def marked(found: re.Match[str]) -> str:
        if found["code"]:
            return found["code"]
        block = found["block"] is not None
        formulas.append(mathml(found["block"] or found["inline"], block=block))
        return f"formula§{len(formulas) - 1}§"

    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = MATH.sub(marked, cell.source)
    return copy, formulas


def mathml(tex: str, *, block: bool = False) -> str:
    r"""A formula as MathML, with its LaTeX beside it for who copies it.

    Args:
        tex: without dollars. block: whether it stands in a line of its own.
    """
    plain = tex.strip()
    made = convert(plain, display="block" if block else "inline")
    made = re.sub(r'<mi mathvariant="(double-struck|script)">([A-Z])</mi>', _letter, made)
    made = made.replace("<mi>log</mi>", '<mi>log</mi><mspace width="0.17em"/>')
    start, _, inside = made.replace("&#x029F5;", "∖").partition(">")
    return f'{start} alttext="{html.escape(plain)}">{inside}'


def _letter(found: re.Match[str]) -> str:
    """A letter of an alphabet of mathematics: browsers leave the attribute for it out."""
    name = f"{found[1].upper()} CAPITAL {found[2]}"
    for known in (name, f"MATHEMATICAL {name}"):
        with suppress(KeyError):
            return f'<mi mathvariant="normal">{unicodedata.lookup(known)}</mi>'
    return found[0]
