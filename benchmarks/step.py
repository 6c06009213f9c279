"""``python -m ccvae.benchmarks.step``: what a step of CC-VAE costs beside its bare networks.

The networks are the published ones: 64×64 colour images, 18 binary labels, 27 dimensions of style.
*Bare* is one encoding, one decoding, the backward pass of a trivial loss and Adam, on networks of
the same shape; everything that a step costs beyond that is the price of the probabilistic program.
All steps run in turns in one process, so that whatever else the machine does falls on all of them,
and a ratio is the median of the ratios to the bare step of the same turn.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyro
import torch
from torch import Tensor, nn

from ..data import Binary, LabelSpace
from ..guides import CCVAEGuide
from ..inference import CCVAEAuthorsObjective, CCVAEObjective, Objective
from ..models import CCVAE, Laplace
from ..networks import ConvDecoder64, ConvEncoder64
from .timing import Step, measure, parse, table, trained

LABELS, STYLE, ROWS = 18, 27, 20_000
PATTERNS = {"labelled": 1.0, "unlabelled": 0.0, "mixed": 0.5}
"""Share of observed label entries in a batch."""


def networks() -> tuple[ConvEncoder64, ConvDecoder64]:
    """The encoder and the decoder of Joy et al. (2021)."""
    return ConvEncoder64(3, LABELS + STYLE), ConvDecoder64(LABELS + STYLE, 3)


def bare_step(x: Tensor) -> Step:
    """Encode, decode, backward, Adam; nothing else."""
    encoder, decoder = networks()

    def loss() -> Tensor:
        loc, scale = encoder(x)
        error: Tensor = decoder(torch.cat([loc[:, :LABELS], (loc + scale)[:, LABELS:]], -1))
        return error.abs().sum()

    return trained(nn.ModuleList([encoder, decoder]), loss)


def program_step(objective: Objective, link: str, x: Tensor, y: Tensor) -> Step:
    """A step of CC-VAE with the given objective and link."""
    space = LabelSpace(Binary(f"label {i}") for i in range(LABELS))
    encoder, decoder = networks()
    model = CCVAE(space, decoder, Laplace(), style=STYLE)
    guide = CCVAEGuide(space, encoder, style=STYLE, link=link)
    module = objective(model, guide)
    index = torch.arange(len(x), device=x.device)
    return trained(module, lambda: module(x, y, index=index, size=ROWS))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    options = parse(
        "step",
        "What a training step of CC-VAE costs beside its bare networks.",
        arguments,
        repetitions=15,
    )

    torch.manual_seed(0)
    x = torch.rand(options.batch, 3, 64, 64)
    labels = (torch.rand(options.batch, LABELS) < 0.5).float()
    hidden = torch.rand(options.batch, LABELS)
    steps = {"bare networks": bare_step(x)}
    objectives: dict[str, tuple[Objective, str]] = {
        "exact, probit": (CCVAEObjective(), "probit"),
        "exact, logit": (CCVAEObjective(), "logit"),
        "authors, logit": (CCVAEAuthorsObjective(), "logit"),
    }
    with pyro.settings.context(module_local_params=True), pyro.validation_enabled(False):
        for name, (objective, link) in objectives.items():
            for pattern, share in PATTERNS.items():
                y = labels.masked_fill(hidden >= share, float("nan"))
                steps[f"{name}, {pattern}"] = program_step(objective, link, x, y)
        seconds = measure(steps, options.repetitions)

    print(
        f"{options.batch} images, {LABELS} labels, medians of {options.repetitions} turns, "
        f"threads {torch.get_num_threads()}"
    )
    print(table(seconds))


if __name__ == "__main__":
    main()
