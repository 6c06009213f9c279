"""What a training run is asked for. Plain data: importing it costs nothing."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar

from .schedules import RATE, Schedule, read_schedules
from .words import OF_DATA, OF_PROGRAMS, OWN_OBJECTIVE, is_own


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


WHOLE = {
    "epochs": (1, 10**6),
    "batch_size": (1, 10**6),
    "style": (1, 10**5),
    "trunks": (1, 2),
    "patience": (0, 10**6),
    "warm_up": (0, 10**6),
    "seed": (0, 2**63 - 1),
}
"""The ranges of the options that are whole numbers."""


@dataclass(frozen=True)
class Config:
    """Everything that decides what a training run computes; ``ccvae train`` has these options.

    Raises:
        ValueError: for a number out of its range.
    """

    program: str = _option("ccvae", "the model and guide to train")
    objective: str = _option(
        "", "its name; pyro:NAME(…) of Pyro's, module:Class(…) of your own (the program's)"
    )
    alpha: float | None = _option(None, "weight of the classifier term (by the rule)")
    alpha_rule: str = _option("measured", "how it is chosen: measured, or the paper's: paper")
    alpha_d: float | None = _option(None, "weight of DIVA's domain classifier (the paper's 2000)")
    warm_up: int = _option(0, "epochs over which DIVA's beta rises")
    inputs: str = _option(
        "", "module:function of your own minibatches, for module:model,guide (the data set's)"
    )
    data: str = _option("faces", "the data set")
    only: str = _option("", "names of the labels to use, separated by commas (all)")
    labelled: float = _option(0.2, "fraction of the training rows that keep their labels")
    labelled_schedule: str = _option(
        "", "fractions for equal shares of the epochs in its place, as 0.9,0.5,0.1 (none)"
    )
    balanced: bool = _option(False, "the same number of labelled rows of every class")
    labelled_share: float | None = _option(
        None, "share of each batch that has labels, 0 for that of the data (0.3, if that is less)"
    )
    by_class: bool = _option(False, "draw the rows with labels evenly over labels and classes")
    unweighted: bool = _option(False, "count a row with labels as often as it is drawn")
    network: str = _option(
        "auto",
        "auto (by size), conv64, local, local64, conv28, diva28, diva28-small, conv-any, mlp, or "
        "module:encoder,decoder of your own",
    )
    trunks: int | None = _option(None, "of CC-VAE's encoder, 1 or 2 (2, and 1 if taught apart)")
    heads: str = _option(
        "auto",
        "of the labels' blocks in a trunk of their own: stick, softmax, or auto by labelled rows",
    )
    taught_apart: bool | None = _option(None, "no image moves a block of a label (with alpha)")
    likelihood: str = _option("laplace", "laplace, normal, bernoulli or levels")
    scale: float = _option(1.0, "the likelihood's scale in units of the pixel range")
    learn_scale: bool = _option(False, "learn the likelihood's scale")
    link: str = _option("probit", "the classifiers' link, probit or logit")
    style: int = _option(27, "dimensions of z_style")
    epochs: int = _option(20, "passes over the training rows")
    batch_size: int = _option(100, "rows per step")
    lr: float = _option(1e-3, "Adam's largest step size")
    schedule: str = _option(
        RATE,
        "how it falls after its warm-up: cosine, linear or constant; and of weights of the "
        "objective NAME=linear:FROM:TO:EPOCHS, =cosine:FROM:TO:EPOCHS or =constant:VALUE, "
        "several allowed",
    )
    clip: float = _option(0.0, "the gradient's largest norm, 0 for any")
    precision: str = _option("32", "of the networks: 32 or bf16")
    still: bool = _option(False, "never mirror or shift images, even where their labels allow it")
    validation: float = _option(
        0.1, "share of the training rows with labels that are kept out to validate on"
    )
    keep: str = _option("best", "the weights of which epoch by validation, best or last")
    patience: int = _option(
        0, "epochs without a better one by validation after which training ends, 0 for never"
    )
    average: float = _option(
        0.0, "decay by step of the running average of the weights that is kept, 0 for none"
    )
    seed: int = _option(0, "of the labelled rows, the initial weights, the order and the draws")

    VERSION: ClassVar[int] = 2

    def __post_init__(self) -> None:
        for name, (least, most) in WHOLE.items():
            if getattr(self, name) is not None and not least <= getattr(self, name) <= most:
                raise ValueError(
                    f"expected {name} of at least {least} and at most {most}, got "
                    f"{getattr(self, name)}"
                )
        for name in ("lr", "scale"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"expected a positive {name}, got {getattr(self, name)}")
        for name in ("clip", "alpha", "alpha_d"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"expected {name} of at least 0 and finite, got {value}")
        for name in ("validation", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"expected {name} of at least 0 and below 1, got {getattr(self, name)}"
                )
        for each in self.weight_schedules:
            fixed = {"alpha": self.alpha, "alpha_d": self.alpha_d, "beta": self.warm_up or None}
            if fixed.get(each.name) is not None:
                raise ValueError(
                    f"expected {each.name} once, got a schedule of it and "
                    f"{'a warm-up' if each.name == 'beta' else 'a value'}; leave one of them out"
                )
        if not 0 <= (self.labelled_share or 0) < 1:
            raise ValueError(
                f"expected a labelled share of at least 0 and below 1, got {self.labelled_share}; "
                "give --labelled 1 to show all labels"
            )
        for fraction in self.fractions:
            if not 0 <= fraction <= 1:
                raise ValueError(f"expected a labelled fraction between 0 and 1, got {fraction}")

    @property
    def rate_schedule(self) -> str:
        """How the step size changes, by name."""
        return read_schedules(self.schedule)[0]

    @property
    def weight_schedules(self) -> tuple[Schedule, ...]:
        """How weights of the objective change."""
        return read_schedules(self.schedule)[1]

    @property
    def objective_name(self) -> str:
        """The objective's name: a program's own objective has the name of the program.

        Programs of the user's have Pyro's that sums over what is discrete.

        >>> Config(program="m2").objective_name
        'm2'
        """
        return self.objective or (OWN_OBJECTIVE if is_own(self.program) else self.program)

    @property
    def fractions(self) -> tuple[float, ...]:
        """Labelled fractions of equal shares of the epochs, one where it does not change.

        >>> Config(labelled_schedule="0.9,0.5,0.1").fractions
        (0.9, 0.5, 0.1)
        """
        try:
            parts = self.labelled_schedule.split(",") if self.labelled_schedule else ()
            schedule = tuple(float(part) for part in parts)
        except ValueError:
            raise ValueError(
                f"expected fractions separated by commas, as 0.9,0.5,0.1, got the labelled "
                f"schedule {self.labelled_schedule!r}"
            ) from None
        return schedule or (self.labelled,)

    @property
    def unread(self) -> tuple[str, ...]:
        """The options that nothing reads, as programs or minibatches are the user's own."""
        if not is_own(self.program):
            return ("inputs",)
        return (*OF_PROGRAMS, *(OF_DATA if self.inputs else ()))

    def without_unread(self) -> Config:
        """The same with the default of every option that nothing reads."""
        defaults: dict[str, Any] = {option.name: option.default for option in fields(self)}
        return replace(self, **{name: defaults[name] for name in self.unread})

    def to_json(self) -> dict[str, Any]:
        """The configuration as plain data, with the version of its format."""
        return {"version": self.VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, options: dict[str, Any]) -> Config:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError: for another format, an option that is not known, or a value of another type
                or out of its range.
        """
        import msgspec

        options = dict(options)
        version = options.pop("version", None)
        if version == 1:
            options = BEFORE | {name: options[name] for name in options if name not in GONE}
        elif version != cls.VERSION:
            raise ValueError(f"format {version!r}, but this ccvae reads formats 1 to {cls.VERSION}")
        unknown = sorted(options.keys() - {option.name for option in fields(cls)})
        if unknown:
            raise ValueError(f"unknown options {', '.join(unknown)}")
        try:
            return msgspec.convert(options, cls)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error


BEFORE: dict[str, Any] = {
    "labelled_share": 0.0,
    "alpha_rule": "paper",
    "still": True,
    "trunks": 1,
    "heads": "stick",
    "taught_apart": False,
    "validation": 0.0,
    "keep": "last",
}
"""What a training did that was asked for in format 1, where newer ones do something else."""

GONE = ("repeat", "labelled_epochs")
"""Options of format 1 that are no more: how often labelled rows occurred, before labelled_share."""


@dataclass(frozen=True)
class SourceOption:
    """Something that can be said about a data set beside its name.

    Attributes:
        text: what it says, with its default. kinds: of data sets that have it, all if empty.
        is_path: whether it names a file. range: of a whole number; empty for words.
    """

    text: str
    kinds: tuple[str, ...] = ()
    is_path: bool = False
    range: tuple[int, ...] = ()


FILES = ("celeba", "images")
"""The kinds of data sets that are read from image files."""

SOURCE = {
    "labels": SourceOption(
        "table of images:DIR, a column file and a column a label (DIR/labels.csv); or folders, or "
        "pattern:{Age:real}_{Male}_* of their names",
        ("images",),
        is_path=True,
    ),
    "kinds": SourceOption(
        "its labels as NAME=binary, =categorical, =class|class, =real, =ordinal:low<high or "
        "=several, by commas (inferred)",
        ("images",),
    ),
    "image_size": SourceOption(
        "pixels along each side, of files, or of faces by averages of a part of 64 (64)",
        (*FILES, "faces"),
        range=(1, 1024),
    ),
    "crop": SourceOption(
        "side of the square cut from a file's middle first, 0 for none (0)",
        FILES,
        range=(0, 10**6),
    ),
    "file_column": SourceOption(
        "column of the table with the files' names, or {A}/{B:04}.jpg of several columns (file, "
        "image_id, filename, path, image, img, id and the like)",
        ("images",),
    ),
    "join": SourceOption(
        "binary labels to join into one, as NAME=LABEL|LABEL, by commas (none)", ("images",)
    ),
    "missing_marks": SourceOption(
        "entries that mean missing, as WORD|WORD or NAME=WORD|WORD, by commas (NA, null, None, ?, "
        "-, unknown and the like, and negative codes of other numbers)",
        ("images",),
    ),
    "sided": SourceOption(
        "whether left and right matter to the labels, yes or no; training mirrors images where "
        "they do not (no, and yes of arrays)",
        ("images",),
    ),
    "test_on": SourceOption("official part of CelebA, test or valid (test)", ("celeba",)),
    "missing": SourceOption(
        "share of the training rows' labels to hide at random, or NAME=SHARE by commas (0)"
    ),
    "data_seed": SourceOption(
        "of what is hidden and of the split of images:DIR (0)", range=(0, 2**44)
    ),
}
"""What ``ccvae train`` and ``ccvae data`` take beside a data set; the specification that a run
directory keeps has it too, see :mod:`ccvae.data.spec`."""
