"""The commands that show data and the page: data and app."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

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


def app(options: Namespace) -> tuple[Document, str] | tuple[Document, str, Callable[[], None]]:
    """``ccvae app``; the third is what serves the page, once its address has been printed."""
    try:
        from .web.looking import Theirs
        from .web.serve import export_pages, prepare
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the page needs {error.name}, which is not installed: pip install 'ccvae[app]'"
        ) from error
    device = device_of(options.device)
    directory, path = _shown(options.shown)
    if options.inputs and not path:
        raise ValueError("expected module:model,guide with --inputs; name the programs too")
    theirs = Theirs(path, options.inputs, options.objective)
    if options.export is not None:
        run, written = export_pages(directory, options.export, device, options.trust, theirs)
        size = f"{written['files']} files, {written['bytes'] / 1e6:.1f} MB"
        document = {"export": str(options.export), "run": str(run.directory), **written}
        return document, f"{options.export}: {size}; put the folder on any web server"
    url, run, serve = prepare(directory, options.port, device, options.trust, theirs)
    shown = filter(None, (path, options.objective, str(run.directory)))
    text = f"{url} shows {' and '.join(shown)}"
    document = {
        "url": url,
        "run": str(run.directory),
        "programs": path,
        "objective": options.objective,
    }
    return document, f"{text}; press Ctrl-C to end", serve


def _shown(words: Sequence[str]) -> tuple[Path | None, str]:
    """The run's directory and the pair that are named, in any order; None and ``""`` without."""
    directories = [word for word in words if ":" not in word or Path(word).is_dir()]
    pairs = [word for word in words if word not in directories]
    if len(directories) > 1 or len(pairs) > 1:
        raise ValueError(
            f"expected one run directory and one module:model,guide at most, got {len(words)} "
            "words; open a second page with --port 0 for others"
        )
    return Path(directories[0]) if directories else None, pairs[0] if pairs else ""
