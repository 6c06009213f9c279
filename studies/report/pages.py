"""Pages in one file: templates of this folder, filled in."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from ..drawing.pixels import data_uri


def render(template: str, **page: Any) -> str:
    """The page of a template; every text is escaped.

    Args:
        template: its file's name. page: what the template asks for.
    """
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(lambda name: files(__package__).joinpath(name).read_text("utf-8")),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["data_uri"] = data_uri
    return environment.get_template(template).render(**page)
