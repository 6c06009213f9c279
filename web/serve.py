"""Serving the page on this machine."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Collection
from pathlib import Path

import torch
import uvicorn

from ..files import say
from ..inference.runs.run import Run, load
from .export import check_target, export
from .looking import Theirs
from .own import Own
from .server import Pages, build_app

ADDRESS = "127.0.0.1"

NOTHING = Theirs()
"""Of somebody's."""

PRETRAINED = Path(__file__).parent / "pretrained"
"""A small run for the room of faces, made by ``make pretrained``."""


def open_run(directory: Path | None, device: torch.device, trust: Collection[str] = ()) -> Run:
    """A trained run, or without a directory the one that the package carries.

    Args:
        trust: see :func:`ccvae.inference.runs.run.load`.

    Raises:
        ValueError: for a directory that is no run.
    """
    return load(directory or PRETRAINED, device, trust)


def listen(port: int) -> socket.socket:
    """A socket on this machine's own address.

    Args:
        port: 0 takes a free one.

    Raises:
        ValueError: where the port is taken, or out of range.
    """
    if not 0 <= port < 2**16:
        raise ValueError(f"expected a port from 0 to 65535, got {port}; 0 takes a free one")
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ADDRESS, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise ValueError(
            f"port {port} cannot be had ({error.strerror}); give another --port, or 0 for any"
        ) from error
    return listening


def export_pages(
    directory: Path | None,
    target: Path,
    device: torch.device,
    trust: Collection[str] = (),
    theirs: Theirs = NOTHING,
) -> tuple[Run, dict[str, int]]:
    """All rooms as a folder; see :func:`ccvae.web.export.export`.

    Returns:
        the run that it shows, and what was written.
    """
    check_target(target)
    run = open_run(directory, device, trust)
    pages = Pages(run, Own(theirs) if any(theirs) else None)
    return run, export(pages, target, lambda what: say(f"recording {what}"))


def prepare(
    directory: Path | None,
    port: int,
    device: torch.device,
    trust: Collection[str] = (),
    theirs: Theirs = NOTHING,
) -> tuple[str, Run, Callable[[], None]]:
    """Everything that can fail before the page is served.

    Args:
        theirs: what somebody named: programs, and an objective.

    Returns:
        the address to open, the run, and what serves the page until it is interrupted.

    Raises:
        ValueError: see :func:`open_run`, :func:`listen` and :class:`ccvae.web.own.Own`.
    """
    run = open_run(directory, device, trust)
    app = build_app(run, Own(theirs) if any(theirs) else None)
    listening = listen(port)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, lifespan="on"
    )

    def serve() -> None:
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            uvicorn.Server(config).run(sockets=[listening])
        say("ccvae app: ended")

    return f"http://{ADDRESS}:{listening.getsockname()[1]}/", run, serve
