"""The commands that show data and the page: data and app."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

from .config import Config
from .data.spec import load as load_data
from .data.summary import contact_sheet, describe
from .options import device_of, source_of
from .texts import Document, description_text


def data(options: Namespace) -> tuple[Document, str]:
    """``ccvae data``."""
    dataset = load_data(source_of(options), options.only)
    document = describe(dataset, Config.batch_size)
    text = description_text(document)
    if options.sheet is not None:
        contact_sheet(dataset, options.sheet)
        document["sheet"] = str(options.sheet)
        text += f"\ncontact sheet: {options.sheet}"
    return document, text


def app(options: Namespace) -> tuple[Document, str, Callable[[], None]]:
    """``ccvae app``; the third is what serves the page, once its address has been printed."""
    try:
        from .web.serve import prepare
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the page needs {error.name}, which is not installed: pip install 'ccvae[app]'"
        ) from error
    device = device_of(options.device)
    url, run, serve = prepare(options.directory, options.port, device, options.trust)
    text = f"{url} shows {run.directory}; press Ctrl-C to end"
    return {"url": url, "run": str(run.directory)}, text, serve
