"""``python -m ccvae.benchmarks.beside RUN RUN -o FILE.png``: interventions of two runs, compared.

For the same test faces and the same labels: what each run makes of the intervention, and below it
where the picture changed. Every map has the same scale, so that dark is as much in one as in the
other.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..files import write_atomically
from ..inference.runs.run import load
from ..studies.drawing.sheets import heat, sheet, to_rgb, wrapped
from ..studies.reading.counterfactuals import cases
from ..studies.reading.subject import Subject
from ..studies.report.conduct import subject_of

LABELS = ("Eyeglasses", "No_Beard", "Bangs", "Wearing_Necktie", "Smiling", "Young", "Hair")

TOP = 0.5
"""The change that is drawn darkest, in parts of the pixel range."""


def interventions(subject: Subject, row: int, labels: Sequence[str]) -> tuple[Tensor, Tensor]:
    """One face's reconstruction and each label moved ``(1 + n, C, H, W)``, and the changes' maps.

    Args:
        subject: whose pair intervenes. row: of its test rows. labels: n of them.
    """
    batch = subject.batch(subject.rows.first(row + 1))
    images, maps = [subject.reconstruct(batch)[row]], []
    for name in labels:
        case = cases(subject, batch, name)[0]
        images.append(case.image[row])
        maps.append((case.image - case.reconstruction)[row].abs().mean(0))
    return torch.stack(images), torch.stack([torch.zeros_like(maps[0]), *maps])


def beside(subjects: Sequence[Subject], names: Sequence[str], row: int) -> bytes:
    """The same face in every run, its changes below, as PNG."""
    labels = [name for name in LABELS if name in subjects[0].space.names]
    cells, headings = [], []
    for subject, name in zip(subjects, names, strict=True):
        images, maps = interventions(subject, row, labels)
        cells += [to_rgb(images), heat(maps, TOP)]
        headings += [name, "change"]
    columns = ["recon-\nstruction", *map(wrapped, labels)]
    return sheet(torch.stack(cells), columns=columns, rows=headings, breaks=(1,))


def main() -> None:
    """Draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--names", default="", help="of the runs, by commas (their directories')")
    parser.add_argument("--row", type=int, default=2, help="of the test rows (2)")
    parser.add_argument("-o", "--out", type=Path, default=Path("beside.png"))
    options = parser.parse_args()
    subjects = [subject_of(load(path, torch.device("cpu"))) for path in options.runs]
    names = options.names.split(",") if options.names else [path.name for path in options.runs]
    write_atomically(options.out, beside(subjects, names, options.row))


if __name__ == "__main__":
    main()
