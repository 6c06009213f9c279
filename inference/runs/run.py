"""Run directories: what a training was asked for, where it stands, and what it measured.

===========================  ================================================================
``config.json``              the configuration, the labels and the images' shape
``checkpoint.safetensors``   weights, optimiser state and the step; replaced as a whole
``metrics.jsonl``            one JSON object for every epoch
``validation.jsonl``         what each epoch's weights did on rows that are not trained on
``steps.jsonl``              one for every logging interval
``not-finite.safetensors``   rows and weights of a step whose loss or gradient was not finite
``evaluation.json``          what ``ccvae evaluate`` found, with its baselines
===========================  ================================================================
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from pyro.infer import ELBO
from torch import Tensor, nn

from ...config import Config
from ...data import Batch, Dataset, LabelSpace, Rows
from ...data.spec import moved
from ...files import say
from ...networks import Shape
from ...words import is_own
from ..catalogue import ENTRIES, Signature, build_objective, build_pair
from ..foreign import Foreign, Inputs, Minibatch, complete
from ..training.checkpoint import load_checkpoint
from .checks import check_asked, check_free, check_own, check_same, check_trusted, compare, data_of
from .facts import CHECKPOINT as CHECKPOINT
from .facts import CONFIG as CONFIG
from .facts import EVALUATION as EVALUATION
from .facts import FILES as FILES
from .facts import NOT_FINITE as NOT_FINITE
from .facts import TRAIN, Facts, modules_of, the_facts, write_facts
from .identity import Fingerprint, fingerprint_of, run_id
from .settling import check_choices, check_words, settled, settled_as
from .sizes import check_size


@dataclass
class Run:
    """A pair of programs, the objective that trains it, and the directory that keeps it.

    Attributes:
        directory: where the run lives.
        config: what it was asked for.
        facts: the same with what else its directory says of it.
        model, guide, objective: built from the configuration.
        device: where the programs are.
        source: where its data lie now, if not where they lay.
    """

    directory: Path
    config: Config
    facts: Facts
    model: nn.Module
    guide: nn.Module
    objective: ELBO
    device: torch.device
    source: str = ""

    @property
    def signature(self) -> Signature:
        """Labels, image shape and number of domains of its data set."""
        return self.facts.signature

    @property
    def space(self) -> LabelSpace:
        """The labels."""
        return self.signature.space

    @property
    def shape(self) -> Shape:
        """An image's, (C, H, W)."""
        return self.signature.shape

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint holds."""
        return {"model": self.model, "guide": self.guide}

    def data(self) -> tuple[Rows, Rows]:
        """The training rows with the labels that the run may see, and the annotated test rows.

        They are loaded once, and a line says what is other than it was.

        Raises:
            ValueError: for a run whose minibatches are the user's own.
            ValueError: where the data set has other labels or images than the run was made for.
        """
        return self._rows

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What tells its data, as they are, from others."""
        if self.config.inputs:
            return fingerprint_of(self.inputs)
        return Fingerprint.of(self.data()[0].dataset)

    @cached_property
    def inputs(self) -> Inputs:
        """The minibatches of a run that has some of the user's own."""
        return Inputs.named(self.config.inputs, self.config.seed)

    def complete(self, rows: Rows | None = None, *, check: bool = False) -> None:
        """Let programs of the user's find what they train, on the first rows of their data.

        Args:
            rows: the training rows, where they are at hand. check: whether the pair fits together.
        """
        if isinstance(self.model, Foreign) and isinstance(self.guide, Foreign):
            batch, objective = self._first(rows), self.objective if check else None
            complete(self.model, self.guide, batch.args, batch.kwargs, objective)

    def _first(self, rows: Rows | None) -> Batch | Minibatch:
        if self.config.inputs:
            return self.inputs.first.to(self.device)
        rows = rows or self.data()[0]
        return rows.batch(torch.arange(min(self.config.batch_size, len(rows))), self.device)

    @cached_property
    def _rows(self) -> tuple[Rows, Rows]:
        if self.config.inputs:
            raise ValueError(
                f"{self.directory} was trained on minibatches of {self.config.inputs} and has no "
                "data set; what looks at images cannot look at it"
            )
        source, moved = self.source or self.config.data, bool(self.source)
        dataset = data_of(self.directory, source, self.config.only, moved=moved)
        compare(self.directory, self.facts, source, dataset, moved=moved)
        return training_rows(self.config, dataset), dataset.subset(dataset.test)


def create(
    config: Config,
    dataset: Dataset,
    directory: Path,
    device: torch.device,
    *,
    writes: bool = True,
    command: str = TRAIN,
) -> Run:
    """A new run with initial weights, written to its directory.

    Args:
        writes: False for a process that shares another's run.
        command: what made the run; kept in its directory.

    Raises:
        ValueError: where the directory already holds a run or something else, or the network does
            not fit the data.
    """
    check_free(directory)
    check_words(config)
    rows = training_rows(config, dataset)
    own = is_own(config.program)
    if len(rows.labelled) == 0 and not own and ENTRIES[config.program].classifies:
        raise ValueError(
            f"no training row keeps a label at --labelled {max(config.fractions):g}, so there is "
            f"nothing to learn q(y|x) from; give at least {1 / len(rows):.2g}"
        )
    config = settled(config, rows)
    frequencies = dataset.space.frequencies(rows.labels)
    torch.manual_seed(config.seed)
    signature, known = Signature.of(dataset), Fingerprint.of(dataset)
    facts = Facts(config, signature, command, run_id(config, signature, known), known)
    run = build(facts, directory, device, frequencies)
    run.complete(rows, check=True)
    if writes:
        directory.mkdir(parents=True, exist_ok=True)
        write_facts(directory, facts)
        for name in FILES:
            (directory / name).unlink(missing_ok=True)
    return run


def load(
    directory: Path,
    device: torch.device,
    trust: Collection[str] = (),
    *,
    data: str | None = None,
    labels: str | None = None,
) -> Run:
    """A trained run from its directory, of which nothing is executed.

    Args:
        trust: modules that the run may name for its objective or its network.
        data, labels: where its images and their table lie now, see :func:`~ccvae.data.spec.moved`.

    Raises:
        ValueError: for a directory that is no run, whose checkpoint is damaged, or that names a
            module which is not trusted.
    """
    run = from_facts(directory, the_facts(directory), device, trust)
    if data or labels:
        run.source = moved(run.config.data, data, labels)
    run.complete()
    check_own(directory, run.facts.id, load_checkpoint(directory / CHECKPOINT, run.modules))
    for module in run.modules.values():
        module.eval()
    return run


def resume_or_create(
    config: Config,
    dataset: Dataset,
    directory: Path,
    device: torch.device,
    *,
    resume: bool,
    other_data: bool = False,
    writes: bool = True,
) -> Run:
    """The run to train: a new one, or with ``resume`` the one that the directory holds.

    Args:
        other_data: take images and entries that are others than they were, of the same labels.

    Raises:
        ValueError: where the directory's run was asked for something else than ``config``, or on
            other data.
    """
    if not resume or not (directory / CHECKPOINT).exists():
        return create(config, dataset, directory, device, writes=writes)
    facts = the_facts(directory)
    # Before what follows from the data is compared; where they lie is no option of a run.
    known = check_same(directory, facts, config.data, dataset, other=other_data)
    config = settled_as(config, facts.config, other=other_data)
    asked, config = config, settled(config, training_rows(config, dataset))
    if facts.config.network == asked.network:  # auto, as an earlier version left it
        config = replace(config, network=asked.network)
    check_asked(directory, replace(facts.config, data=config.data), config)
    if not facts.id:  # of an earlier version, which has not looked
        facts = replace(facts, id=run_id(config, facts.signature, known))
    run = from_facts(directory, facts, device, modules_of(config))
    run.complete(training_rows(config, dataset))
    run.config = config
    if writes:
        if config.epochs != facts.config.epochs:
            (directory / EVALUATION).unlink(missing_ok=True)
        write_facts(directory, replace(facts, config=config, data=known))
    return run


def training_rows(config: Config, dataset: Dataset) -> Rows:
    """The training rows with all labels that a configuration ever shows of them.

    Those that validate are among them; :func:`ccvae.inference.training.validation.split` tells
    which.
    """
    return dataset.training(max(config.fractions), config.seed, balanced=config.balanced)


def from_facts(directory: Path, facts: Facts, device: torch.device, trust: Collection[str]) -> Run:
    """The run that a directory's facts describe, with weights that nobody has trained.

    Raises:
        ValueError: where they name code that is not trusted, or describe nothing.
    """
    check_trusted(directory, facts, trust)
    try:
        check_choices(facts.config)
        run = build(facts, directory, device)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{directory / CONFIG} does not describe a run ({error}); train it again"
        ) from error
    if facts.edited:
        say(f"{directory / CONFIG} is not as it was written; it is read as it is now")
    return run


def build(
    facts: Facts,
    directory: Path,
    device: torch.device,
    frequencies: Sequence[Tensor] | None = None,
) -> Run:
    """The same without a question."""
    check_size(facts)
    config, made_for = facts.config, facts.signature
    pair = build_pair(config, made_for.space, made_for.shape, frequencies, made_for.domains)
    model, guide = (program.to(device) for program in pair)
    objective = build_objective(config)
    return Run(directory, config, facts, model, guide, objective, device)
