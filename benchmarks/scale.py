"""``python -m ccvae.benchmarks.scale [PROGRAM]``: what a step costs with more labels, more images.

The first table runs every program with its own objective on batches of 32, 200 and 1 000, half of
the label entries hidden: milliseconds, ratio to the bare networks, images per second, and the most
memory that torch held during the step beyond what it held before. The second gives every program
that has labels 1, 18 and 40 binary ones, at random, and compares the steps with that of one label.
M2 samples its labels there, for its decoder ties them together: the sum over 18 would have 2^18
terms. Its networks are wider for more labels, as the labels enter their first layers; on digits,
with one hidden layer, that alone is some percent. So M2 is timed there on faces as well, with the
others' networks. The third has 40 labels of all four kinds, ten each, beside the bare
networks of as many latents. Networks, data and turns are those of :mod:`ccvae.benchmarks.step`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import pyro
import torch

from ..config import Config
from ..data import Batch, Binary, Categorical, Dataset, Label, LabelSpace, Ordinal, Real
from ..data.spec import load
from ..inference.catalogue import PROGRAMS
from ..networks.build import check
from .step import CONFIGS, Bare, bare, bare_step, patterns, program_step
from .timing import Step, measure, options_of, peak, ratio

BATCHES = (32, 200, 1_000)
LABELS = (1, 18, 40)
SIZE = 200
"""Images in a batch where the labels vary."""

FACES = 100
"""Images that are rendered, as to draw them takes longer than to measure."""

LABELLED = {
    "m2": [
        replace(CONFIGS["m2"], objective="m2-score", data="digits"),
        Config(program="m2", objective="m2-score", network="conv64"),
    ],
    "diva": [CONFIGS["diva"]],
    "ccvae": [CONFIGS["ccvae"]],
}
"""The programs that have labels, with the networks and data to time them with."""

OF_ALL_KINDS = ("diva", "ccvae")
"""The programs that take all four kinds of label."""

OF_EACH = 10
"""Labels of each kind, where there are some of all."""

LEAST = 4
"""Turns that are measured, whatever they take."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    options = parse(arguments)
    programs = list(PROGRAMS) if options.program == "all" else [options.program]
    with pyro.settings.context(module_local_params=True), pyro.validation_enabled(False):
        print(f"{'program':9}{'images':>7}{'ms':>8}{'ratio':>7}{'images/s':>10}{'peak MiB':>10}")
        for program in programs:
            for line in by_batch(program, options.seconds):
                print(line, flush=True)
        print(f"\n{'program':9}{'data':9}{'network':9}{'labels':>7}{'ms':>8}{'ratio to 1':>12}")
        for config in (c for name in programs for c in LABELLED.get(name, ())):
            for line in by_labels(config, options.seconds):
                print(line, flush=True)
        print(f"\n{'program':9}{'objective':21}{'labels':>7}{'ms':>8}{'ratio':>7}")
        for program in (name for name in programs if name in OF_ALL_KINDS):
            for line in by_kinds(CONFIGS[program], options.seconds):
                print(line, flush=True)


def parse(arguments: Sequence[str] | None) -> Any:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m ccvae.benchmarks.scale",
        description="What a training step costs with more labels and with more images.",
    )
    parser.add_argument("program", nargs="?", default="all", choices=["all", *PROGRAMS])
    text = f"how long to measure each program in each table, {LEAST} turns at least (15)"
    parser.add_argument("--seconds", type=float, default=15.0, help=text)
    return options_of(parser, arguments)


def by_batch(program: str, duration: float) -> Iterator[str]:
    """Time a program on batches of several sizes, and yield the lines of the table."""
    config = CONFIGS[program]
    data = images("digits" if program == "m2" else "faces", max(BATCHES))
    steps: dict[tuple[str, int], Step] = {}
    for size in BATCHES:
        batch = mixed(data, size)
        steps["bare", size] = bare_step(config, data, batch, bare(config, "mixed"))
        steps[program, size] = program_step(config, data, batch)
    seconds = measure(steps, duration, LEAST)
    for size in BATCHES:
        own = seconds[program, size]
        beside = ratio(own, seconds["bare", size])
        memory = peak(steps[program, size]) / 2**20
        time = median(own)
        yield (
            f"{program:9}{size:7}{1e3 * time:8.0f}{beside:7.2f}{size / time:10.0f}{memory:10.0f}"
        )


def by_labels(config: Config, duration: float) -> Iterator[str]:
    """Time a program with several numbers of labels, and yield the lines of the table."""
    data = images(config.data, SIZE)
    steps = {count: labelled_step(config, data, count) for count in LABELS}
    seconds = measure(steps, duration, LEAST)
    network = check(config.network, data.shape)
    for count in LABELS:
        own = seconds[count]
        more = ratio(own, seconds[LABELS[0]])
        where = f"{config.program:9}{config.data:9}{network:9}"
        yield f"{where}{count:7}{1e3 * median(own):8.0f}{more:12.3f}"


def by_kinds(config: Config, duration: float) -> Iterator[str]:
    """Time a program's objectives with labels of all kinds, and yield the lines of the table."""
    data = of_all_kinds(images(config.data, SIZE))
    batch = mixed(data, SIZE)
    beside = bare_step(config, data, batch, Bare(1, "labelled", sampled=False))
    variants = [
        replace(config, objective=name)
        for name in PROGRAMS[config.program]
        if name != "importance-weighted"  # its particles are not the labels' cost
    ]
    steps: dict[str, Step] = {"": beside}
    steps |= {each.objective: program_step(each, data, batch) for each in variants}
    seconds = measure(steps, duration, LEAST)
    for each in variants:
        own = seconds[each.objective]
        more = ratio(own, seconds[""])
        where = f"{config.program:9}{each.objective:21}{len(data.space):7}"
        yield f"{where}{1e3 * median(own):8.0f}{more:7.2f}"


def of_all_kinds(data: Dataset) -> Dataset:
    """The same images with ten labels of each kind, whose entries are drawn at random."""
    generator = torch.Generator().manual_seed(0)
    classes, columns = tuple("abcde"), []
    labels: list[Label] = []
    for i in range(OF_EACH):
        labels += [
            Binary(f"binary {i}"),
            Categorical(f"categorical {i}", classes),
            Ordinal(f"ordinal {i}", classes),
            Real(f"real {i}"),
        ]
        count = len(data.images)
        columns += [torch.randint(k, (count,), generator=generator).float() for k in (2, 5, 5)]
        columns.append(torch.randn(count, generator=generator))
    return replace(data, labels=torch.stack(columns, -1), space=LabelSpace(labels))


def labelled_step(config: Config, data: Dataset, count: int) -> Step:
    """A step of a program with so many binary labels, whose entries are drawn at random."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.rand(len(data.images), count, generator=generator).round()
    space = LabelSpace(Binary(f"label {i}") for i in range(count))
    relabelled = replace(data, labels=labels, space=space)
    return program_step(config, relabelled, mixed(relabelled, SIZE))


def images(name: str, count: int) -> Dataset:
    """A data set, digits or faces; its training rows recur until there are enough."""
    data = load("digits" if name == "digits" else f"faces:{FACES}")
    return replace(data, train=data.train.repeat(-(-count // len(data.train))))


def mixed(data: Dataset, size: int) -> Batch:
    """The first training rows, half of their label entries hidden."""
    return dict(patterns(data, size))["mixed"]


if __name__ == "__main__":
    main()
