"""The frame of everything that shows itself in a notebook: a box with its style, and formulas."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .theme import SHOWN, page_style


def text_html(text: str) -> str:
    """Lines of text as a notebook shows them."""
    return shown(f"<pre>{escape(text)}</pre>")


def shown(*parts: str) -> str:
    """An output of several parts with its style."""
    return f'{page_style()}<div class="{SHOWN}">{"".join(parts)}</div>'


def block(formulas: Iterable[str]) -> str:
    """Displayed formulas below each other, aligned at the left."""
    lines = [formula for formula in formulas if formula]
    return "$$\\begin{array}{l}" + r" \\ ".join(lines) + "\\end{array}$$" if lines else ""
