"""Commands as their users call them."""

from pathlib import Path

import numpy as np
from PIL import Image

from ccvae.cli import main

QUICK = ["--data", "faces:72", "--network", "mlp", "--epochs", "2", "--batch-size", "30"]


def call(capsys, *arguments):
    """Exit status, standard output and standard error of a command."""
    try:
        status = main([str(a) for a in arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def gray_images(**labels):
    """Put 24 small images into the folder ``ph``, with labels that are functions of the row.

    Returns:
        the table.
    """
    Path("ph").mkdir()
    rows = [",".join(["file", *labels])]
    for i in range(24):
        Image.fromarray(np.full((8, 8, 3), 10 * i, np.uint8)).save(f"ph/{i}.png")
        rows.append(",".join([f"{i}.png", *(str(label(i)) for label in labels.values())]))
    table = "\n".join(rows)
    Path("ph/labels.csv").write_text(table)
    return table
