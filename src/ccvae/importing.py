"""``ccvae import``: published weights as a run."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from .options import evaluate_line, frequencies_of, source_of
from .texts import Document

SEVERAL = (
    "its label of more than two classes has one latent dimension, and no program here has such a "
    "label: the dimension is the first of z_style\n"
)


def import_(options: Namespace) -> tuple[Document, str]:
    """``ccvae import``."""
    from .data.celeba import HAIR, PAPER
    from .inference.runs.published import import_published, is_multiclass

    several = is_multiclass(options.source)
    usual = [name for name in PAPER if not several or name not in HAIR.classes]
    labels = options.only.split(",") if options.only else usual
    directory = options.out or Path("runs") / options.source.resolve().name
    run = import_published(
        options.source,
        directory,
        data=source_of(options),
        labels=labels,
        labelled=options.labelled,
        probabilities=frequencies_of(options.frequencies, labels),
    )
    document = {"run": str(directory), "labels": list(run.space.names), "style": run.config.style}
    text = (
        f"{directory}: {len(run.space)} labels and {run.config.style} dimensions of style, to be "
        f"evaluated on {run.config.data}; p(y) {'as given' if options.frequencies else 'uniform'}\n"
        f"{SEVERAL if several else ''}"
        f"{evaluate_line(directory, run.config)}"
    )
    return document, text
