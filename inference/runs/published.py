r"""The weights that the authors of CC-VAE (Joy et al. 2021) publish, as a run of this suite.

Their code [1, 2] saves four files. Everything in them has a place here:

=================  ==================================  ==========================================
file               what it holds                       where it goes
=================  ==================================  ==========================================
``encoder.pt``     ``encoder.N``                       ``guide.encoder.trunk.N``
..                 ``locs``, ``scales`` [2], or the    ``guide.encoder.heads``
                   halves of ``encoder.11`` [1]
``decoder.pt``     ``decoder.N``                       ``model.decoder.trunk.N``
``classifier.pt``  ``diag.weight``, ``diag.bias``      ``guide.classifier``, slope and intercept
``cond_prior.pt``  ``diag_loc_*``, ``diag_scale_*``    ``model.prior``, class 0 false, class 1 true
=================  ==================================  ==========================================

Layers have the same numbers N in both, and the latent dimensions the same order: one for every
label, then the style. In [1] ``locs`` and ``scales`` are there as well, and nothing reads them.

p(y) is in none of the files.

The poster's authors add a label of five classes to [2], with ``classifier_binary.pt`` and
``cond_prior_binary.pt`` for the other labels. It has one latent dimension with a softmax of five
lines in it (``classifier_mc.pt``), where a label of five classes here has four dimensions: there is
no program for it. Its dimension, which follows those of the others, becomes the first of z_style;
what the networks paint and read for the other labels is the same.

References:
    [1] github.com/thwjoy/ccvae, on Pyro. [2] github.com/thwjoy/ccvae_pytorch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...config import Config
from ...data import Binary, LabelSpace
from ...networks import ConvDecoder64, ConvEncoder64
from ...networks.heads import MINIMUM_SCALE
from ..catalogue import Signature
from ..training.checkpoint import save_checkpoint
from .facts import CHECKPOINT, IMPORT, Facts, write_facts
from .run import Run, build
from .unpickle import read_tensors

FILES = ("encoder.pt", "decoder.pt", "classifier.pt", "cond_prior.pt")

MULTICLASS = "classifier_mc.pt"
"""A file that is there only beside a label of more classes; two others have a suffix then."""

CHANNELS, SIDE, FEATURES = 3, 64, 256
"""Colours and pixels along a side of an image; features before the encoder's heads."""


@dataclass
class Part:
    """One of the files.

    Attributes:
        path: where it was read from.
        tensors: what it holds, by name.
    """

    path: Path
    tensors: dict[str, Tensor]

    def take(self, name: str, *shape: int) -> Tensor:
        """A tensor of floats with this name and shape.

        Raises:
            ValueError: where there is none, or it is not finite.
        """
        value = self.tensors.get(name)
        if value is None or value.shape != shape or not value.is_floating_point():
            found = "none" if value is None else f"{value.dtype} of shape {tuple(value.shape)}"
            raise ValueError(
                f"{self.path}: expected {name!r} as floats of shape {shape}, got {found}; give "
                f"what CC-VAE's published code saved for {SIDE}×{SIDE} images"
            )
        if not value.isfinite().all():
            raise ValueError(f"{self.path}: {name!r} has NaN or infinite entries; the file is bad")
        return value.float()

    def layers(self, trunk: nn.Module, theirs: str, ours: str) -> dict[str, Tensor]:
        """The layers of a network, under ``theirs.N`` in the file and ``ours.N`` in what returns.

        Args:
            trunk: the suite's, which numbers and shapes its layers as the published one.
        """
        return {
            f"{ours}.{key}": self.take(f"{theirs}.{key}", *value.shape)
            for key, value in trunk.state_dict().items()
        }

    def size(self, name: str, dim: int) -> int:
        """The length of a tensor along one of its dimensions, 0 where there is no such tensor."""
        shape = self.tensors[name].shape if name in self.tensors else ()
        return shape[dim] if len(shape) > dim else 0


def import_published(
    source: Path,
    directory: Path,
    *,
    data: str,
    labels: Sequence[str],
    labelled: float = 1.0,
    probabilities: Sequence[float] | None = None,
) -> Run:
    """The four files of a folder as a run directory.

    Args:
        source: the folder.
        directory: the run directory to write, new or empty.
        data: specification of the data set that the run is evaluated on.
        labels: names of the binary labels, in the order of the classifier.
        labelled: fraction of the training rows that showed their labels; the plain classifier that
            ``ccvae evaluate`` trains beside the run gets as many.
        probabilities: p(y = 1) of every label; 1/2 by default.

    Raises:
        OSError: where a file is missing or the run cannot be written.
        ValueError: for a file that names other classes (nothing of it runs) or that does not fit
            the published network, or for another number of labels than the classifier has.
    """
    encoder, decoder, classifier, prior = (
        Part(source / name, read_tensors(source / name)) for name in files_of(source)
    )
    count, latents = classifier.size("diag.weight", 0), decoder.size("decoder.0.weight", 1)
    if len(labels) != count:
        raise ValueError(
            f"{classifier.path}: expected a slope in 'diag.weight' for each of {len(labels)} "
            f"labels ({', '.join(labels)}), got {count}; give --only with the names of all, in "
            "their order"
        )
    if latents <= count:
        raise ValueError(
            f"{decoder.path}: expected 'decoder.0.weight' for more latent dimensions than the "
            f"{count} labels, got {latents}; give files that were saved together"
        )
    space = LabelSpace(Binary(name) for name in labels)
    with torch.device("meta"):  # only the shapes of their layers are asked for
        encoding, decoding = ConvEncoder64(CHANNELS, latents), ConvDecoder64(latents, CHANNELS)
    states = {
        "model": {
            **decoder.layers(decoding.trunk, "decoder", "decoder.trunk"),
            **_prior(prior, count),
            "frequencies": label_table(labels, probabilities),
        },
        "guide": {
            **encoder.layers(encoding.trunk, "encoder", "encoder.trunk"),
            **_heads(encoder, latents),
            "classifier.0.slope": classifier.take("diag.weight", count)[:, None],
            "classifier.0.intercept": classifier.take("diag.bias", count)[:, None],
        },
    }
    config = Config(
        program="ccvae",
        objective="ccvae-authors",
        data=data,
        only=",".join(labels),
        labelled=labelled,
        labelled_share=0.0,
        validation=0.0,
        keep="last",
        network="conv64",
        trunks=1,
        taught_apart=False,
        likelihood="laplace",
        link="logit",
        style=latents - count,
        batch_size=200,
        lr=1e-4,
    )
    return adopt(config, Signature(space, (CHANNELS, SIDE, SIDE)), states, directory)


def is_multiclass(source: Path) -> bool:
    """Whether a folder's files have a label of more than two classes beside the binary ones."""
    return (source / MULTICLASS).exists()


def files_of(source: Path) -> list[str]:
    """Names of the four files to read in a folder."""
    suffix = "_binary" if is_multiclass(source) else ""
    return [*FILES[:2], *(name.replace(".pt", f"{suffix}.pt") for name in FILES[2:])]


def label_table(labels: Sequence[str], probabilities: Sequence[float] | None) -> Tensor:
    """p(y) of binary labels as the programs keep it, ``(L, 2)``.

    Args:
        labels: their names. probabilities: p(y = 1) of each; 1/2 by default.

    Raises:
        ValueError: unless there is one strictly between 0 and 1 for every label.
    """
    p = [0.5] * len(labels) if probabilities is None else list(probabilities)
    if len(p) != len(labels) or not all(0 < share < 1 for share in p):
        raise ValueError(
            f"expected a probability between 0 and 1 for each of {', '.join(labels)}, got "
            f"{', '.join(f'{share:g}' for share in p)}; give --frequencies in that order"
        )
    return torch.tensor([[1 - share, share] for share in p])


def _heads(encoder: Part, latents: int) -> dict[str, Tensor]:
    """Mean and raw scale; both codes take softplus of the latter, at least 1e-3, as this one."""
    found: dict[str, Tensor] = {}
    for kind, shape in (("weight", (FEATURES,)), ("bias", ())):
        if f"encoder.11.{kind}" in encoder.tensors:  # [1]; its locs and scales are dead weight
            loc, scale = encoder.take(f"encoder.11.{kind}", 2 * latents, *shape).chunk(2)
        else:
            loc, scale = (encoder.take(f"{h}.{kind}", latents, *shape) for h in ("locs", "scales"))
        found |= {f"encoder.heads.loc.{kind}": loc, f"encoder.heads.raw_scale.{kind}": scale}
    return found


def _prior(prior: Part, labels: int) -> dict[str, Tensor]:
    """Means and raw scales ``(L, 2, 1)`` of p(z_c|y).

    The published scale is max(softplus(raw), 1e-3), the suite's is softplus(raw): a raw scale below
    softplus⁻¹(1e-3) is raised to it.
    """
    classes = ("false", "true")
    loc, raw = (
        torch.stack([prior.take(f"diag_{what}_{k}", labels) for k in classes], -1)[..., None]
        for what in ("loc", "scale")
    )
    least = math.log(math.expm1(MINIMUM_SCALE))
    return {"prior.0.loc": loc, "prior.0.raw_scale": raw.clamp(min=least)}


def adopt(
    config: Config,
    signature: Signature,
    states: dict[str, dict[str, Tensor]],
    directory: Path,
) -> Run:
    """A run with weights that were trained elsewhere, written to its directory.

    Args:
        config, signature: what the run is to say of itself.
        states: the state dicts of ``model`` and ``guide``.
        directory: where it is kept; new or empty.

    Raises:
        ValueError: where the directory holds something.
    """
    if directory.exists() and any(directory.iterdir()):
        raise ValueError(f"{directory} is not empty; give another --out")
    run = build(Facts(config, signature), directory, torch.device("cpu"))
    for name, module in run.modules.items():
        module.load_state_dict(states[name])
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / CHECKPOINT
    save_checkpoint(path, run.modules, None, epoch=config.epochs, done=0, total=0, totals={})
    write_facts(directory, Facts(config, signature, IMPORT))
    return run
