"""``python -m ccvae.benchmarks.m2``: what an unlabelled step of M2 costs beside its networks.

28×28 images in ten classes, one hidden layer of 500 softplus units in each network, 50 dimensions
of z, Bernoulli pixels. *By hand* is the same computation without a probabilistic program: classify,
encode and decode for ten classes with the image's part of the first layer shared, cross-entropy and
KL written out, backward, fused Adam. The steps run in turns, see :mod:`ccvae.benchmarks.timing`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyro
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from ..config import Config
from ..data import Categorical, LabelSpace
from ..inference import M2Objective
from ..inference.catalogue import build_pair
from .timing import Step, measure, parse, table, trained

CLASSES, HIDDEN, STYLE, PIXELS, ROWS = 10, 500, 50, 784, 4000


class Networks(nn.Module):
    """M2's networks and its unlabelled loss, written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Sequential(
            nn.Linear(PIXELS, HIDDEN), nn.Softplus(), nn.Linear(HIDDEN, CLASSES)
        )
        self.encode, self.encode_class = nn.Linear(PIXELS, HIDDEN), _table()
        self.heads = nn.Linear(HIDDEN, 2 * STYLE)
        self.decode, self.decode_class = nn.Linear(STYLE, HIDDEN), _table()
        self.image = nn.Linear(HIDDEN, PIXELS)

    def forward(self, x: Tensor) -> Tensor:
        """The loss of ``(B, PIXELS)``: Σ_y q(y|x) [cross-entropy + KL − log p(y)] − H[q(y|x)]."""
        log_q = self.classifier(x).log_softmax(-1)
        hidden = softplus(self.encode(x) + self.encode_class[:, None])
        loc, raw_scale = self.heads(hidden).chunk(2, -1)
        scale = softplus(raw_scale)
        z = loc + scale * torch.randn_like(scale)
        logits = self.image(softplus(self.decode(z) + self.decode_class[:, None]))
        target = x.expand_as(logits)
        error = binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)
        divergence = 0.5 * (loc.square() + scale.square() - 1).sum(-1) - scale.log().sum(-1)
        cost = (error + divergence).T + log_q
        return (log_q.exp() * cost).sum() * (ROWS / len(x))


def _table() -> nn.Parameter:
    return nn.Parameter(torch.randn(CLASSES, HIDDEN) / HIDDEN**0.5)


def program_step(x: Tensor) -> Step:
    """A step of M2 on images without labels."""
    space = LabelSpace([Categorical("digit", tuple("0123456789"))])
    config = Config(program="m2", network="mlp", likelihood="bernoulli", style=STYLE)
    module = M2Objective()(*build_pair(config, space, (1, 28, 28)))
    y = torch.full((len(x), 1), torch.nan)
    index = torch.arange(len(x))
    return trained(module, lambda: module(x, y, index=index, size=ROWS))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    options = parse(
        "m2",
        "What an unlabelled training step of M2 costs beside its networks by hand.",
        arguments,
        repetitions=25,
    )

    torch.manual_seed(0)
    x = torch.rand(options.batch, 1, 28, 28)
    flat, networks = x.flatten(1), Networks()
    with pyro.settings.context(module_local_params=True), pyro.validation_enabled(False):
        steps = {"by hand": trained(networks, lambda: networks(flat)), "M2": program_step(x)}
        seconds = measure(steps, options.repetitions)
    print(
        f"{options.batch} images, {CLASSES} classes, medians of {options.repetitions} turns, "
        f"threads {torch.get_num_threads()}"
    )
    print(table(seconds))


if __name__ == "__main__":
    main()
