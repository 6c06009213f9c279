"""``python -m ccvae.benchmarks.step [PROGRAM]``: what training steps cost beside bare networks.

Every program with every objective that applies to it, on batches whose label entries are all shown,
all hidden, or shown one in two. VAE, DIVA and CC-VAE run on rendered faces of 64×64 with nine
labels and four domains and have the networks published with CC-VAE; M2 runs on digits and has one
hidden layer in each network.

*Bare* is what the networks alone cost: every encoder and the decoder called once on the same batch,
the sum of what comes out as the loss, the backward pass and Adam; for M2 its networks by hand, see
:mod:`ccvae.benchmarks.m2`. Everything that a step costs beyond that is the price of the
probabilistic program. A step and its bare networks take turns, see :mod:`ccvae.benchmarks.timing`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, NamedTuple

import pyro
import torch
from torch import Tensor, nn

from ..config import Config
from ..data import Batch, Dataset
from ..data.spec import load
from ..inference.catalogue import PROGRAMS, build_objective, build_pair
from ..networks.heads import Decoder, Encoder
from . import m2
from .timing import LEAST, Step, measure, options_of, ratio, trained

PATTERNS = {"labelled": 1.0, "unlabelled": 0.0, "mixed": 0.5}
"""Share of the label entries that a batch shows."""

CONFIGS = {
    "vae": Config(program="vae"),
    "m2": Config(program="m2", network="mlp", likelihood="bernoulli", style=m2.STYLE),
    "diva": Config(program="diva"),
    "ccvae": Config(program="ccvae"),
}

LINKS = {"ccvae": ("probit", "logit"), "ccvae-authors": ("logit",)}
"""Links of the classifiers to time an objective with; probit alone for others on CC-VAE's guide."""

NOTES = {
    "m2": "m2: by hand, a labelled image is encoded and decoded for its own class alone, an "
    "unlabelled one for all ten.\n"
    "m2-score: by hand, every image is encoded and decoded for one class, drawn where its own is "
    "missing.",
    "ccvae": "importance-weighted: ten particles, whatever is labelled; its bare networks encode "
    "once and decode ten times.",
}
"""What the bare networks of a program do where that is not once each."""


class Bare(NamedTuple):
    """Which bare networks a step is compared with.

    Attributes:
        decodings: of a batch.
        pattern: of its labels; it matters to M2's alone.
        sampled: whether M2's draw missing labels.
    """

    decodings: int
    pattern: str
    sampled: bool


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    options = parse(arguments)
    programs = list(PROGRAMS) if options.program == "all" else [options.program]
    print(
        f"{options.batch} images, threads {torch.get_num_threads()}: medians in ms, and of the "
        "ratios to the bare networks of the same turn"
    )
    print(line("program", "objective", "link", "turns", PATTERNS))
    with pyro.settings.context(module_local_params=True), pyro.validation_enabled(False):
        for program in programs:
            for row in rows(program, options.batch, options.seconds):
                print(row, flush=True)
    print("\n".join(NOTES[program] for program in programs if program in NOTES))


def parse(arguments: Sequence[str] | None) -> Any:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m ccvae.benchmarks.step",
        description="What a training step costs beside its bare networks.",
    )
    parser.add_argument("program", nargs="?", default="all", choices=["all", *PROGRAMS])
    text = f"how long to measure each program, {LEAST} turns at least (30)"
    parser.add_argument("--seconds", type=float, default=30.0, help=text)
    parser.add_argument("--batch", type=int, default=200, help="images in a batch (200)")
    return options_of(parser, arguments)


def rows(program: str, size: int, duration: float) -> Iterator[str]:
    """Time all objectives of a program, and yield their lines of the table."""
    data = load("digits" if program == "m2" else f"faces:{2 * size}")
    batches = dict(patterns(data, size))
    torch.manual_seed(0)
    steps: dict[Bare | tuple[Config, str], Step] = {}
    for config in variants(program):
        for pattern in timed(config):
            beside = bare(config, pattern)
            if beside not in steps:
                steps[beside] = bare_step(config, data, batches[beside.pattern], beside)
            steps[config, pattern] = program_step(config, data, batches[pattern])
    seconds = measure(steps, duration)
    for config in variants(program):
        cells = dict.fromkeys(PATTERNS, "")
        for pattern in timed(config):
            own, other = seconds[config, pattern], seconds[bare(config, pattern)]
            cells[pattern] = f"{1e3 * median(own):.0f} {ratio(own, other):5.2f}"
        link = config.link if program == "ccvae" else ""
        yield line(program, config.objective, link, str(len(own)), cells.values())


def variants(program: str) -> list[Config]:
    """Every objective of a program, with every link to time it with."""
    return [
        replace(CONFIGS[program], objective=objective, link=link)
        for objective in PROGRAMS[program]
        for link in LINKS.get(objective, ("probit",))
    ]


def timed(config: Config) -> Iterable[str]:
    """The patterns to time; one alone for many particles, which cost as much as all the others."""
    return PATTERNS if build_objective(config).num_particles == 1 else ["mixed"]


def patterns(data: Dataset, size: int) -> Iterator[tuple[str, Batch]]:
    """The first training rows with every pattern of hidden labels."""
    batch = data.subset(data.train).batch(torch.arange(size))
    hidden = torch.rand(batch.y.shape, generator=torch.Generator().manual_seed(0))
    for pattern, share in PATTERNS.items():
        yield pattern, replace(batch, y=batch.y.masked_fill(hidden >= share, torch.nan))


def bare(config: Config, pattern: str) -> Bare:
    """The bare networks that do what this objective cannot do without."""
    objective = build_objective(config)
    if config.program == "m2":
        return Bare(1, pattern, pattern != "labelled" and not objective.enumerate_labels)
    return Bare(objective.num_particles, "labelled", sampled=False)


def bare_step(config: Config, data: Dataset, batch: Batch, which: Bare) -> Step:
    """Encode, decode, backward, Adam; nothing else."""
    if config.program == "m2":
        return m2.step(batch.x, batch.y[:, 0], sampled=which.sampled)
    model, guide = build_pair(config, data.space, data.shape, None, data.domain_count)
    encoders = [part for part in guide.modules() if isinstance(part, Encoder)]
    (decoder,) = (part for part in model.modules() if isinstance(part, Decoder))

    def loss() -> Tensor:
        z = torch.cat([loc + scale for loc, scale in (e(batch.x) for e in encoders)], -1)
        images = [decoder(z) for _ in range(which.decodings)]
        return torch.stack([image.abs().sum() for image in images]).sum()

    return trained(nn.ModuleList([*encoders, decoder]), loss)


def program_step(config: Config, data: Dataset, batch: Batch) -> Step:
    """A training step of a program with one of its objectives."""
    pair = build_pair(config, data.space, data.shape, None, data.domain_count)
    module = build_objective(config)(*pair)
    return trained(module, lambda: module(*batch.args, **batch.kwargs))


def line(program: str, objective: str, link: str, turns: str, cells: Iterable[str]) -> str:
    """One line of the table."""
    return f"{program:8}{objective:21}{link:7}{turns:>6}" + "".join(f"{cell:>13}" for cell in cells)


if __name__ == "__main__":
    main()
