"""The programs of the suite: how each pair is built, and the objectives that apply to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyro.infer import ELBO
from torch import Tensor, nn

from ..config import Config
from ..data import Dataset, LabelSpace
from ..guides import CCVAEGuide, DIVAGuide, M2Guide, VAEGuide
from ..models import CCVAE, DIVA, M2, VAE
from ..models.likelihoods import Likelihood
from ..networks import Shape, build
from ..networks.apart import Apart
from .objectives.adapted_diva import AdaptedDIVAObjective
from .objectives.ccvae import CCVAEObjective
from .objectives.ccvae_authors import CCVAEAuthorsObjective
from .objectives.diva import DIVAObjective
from .objectives.importance import ImportanceWeightedObjective
from .objectives.m2 import M2Objective, M2ScoreObjective
from .objectives.marginal import MarginalObjective
from .objectives.our_adapted_diva import OurAdaptedDIVAObjective
from .objectives.vae import VAEObjective

Pair = tuple[nn.Module, nn.Module]


@dataclass(frozen=True)
class Signature:
    """What a pair of programs is made for.

    Attributes:
        space: the labels. shape: of an image, (C, H, W).
        domains: how many the data set has; 0 for none.
    """

    space: LabelSpace
    shape: Shape
    domains: int = 0

    @classmethod
    def of(cls, dataset: Dataset) -> Signature:
        """What a pair for a data set is made for."""
        return cls(dataset.space, dataset.shape, dataset.domain_count)


class Parts(NamedTuple):
    """What a pair is built of; ``numbers`` are the decoder's for each pixel."""

    config: Config
    signature: Signature
    likelihood: Likelihood
    numbers: int
    frequencies: Sequence[Tensor] | None

    def encoder(self, outputs: int) -> nn.Module:
        """The configured network, from images to ``outputs`` latent dimensions."""
        return build.encoder(self.config.network, self.signature.shape, outputs)

    def decoder(
        self, inputs: int, blocks: Sequence[int] = (), ordered: Sequence[bool] = ()
    ) -> nn.Module:
        """The configured network, from ``inputs`` latents, ``blocks`` first, to an image."""
        network, shape = self.config.network, self.signature.shape
        return build.decoder(network, shape, inputs, self.numbers, blocks, ordered)

    def apart(self, decoder: nn.Module, latents: Sequence[tuple[int, bool]]) -> nn.Module:
        """The decoder, or where it is asked for that which sends nothing back to labels' blocks."""
        return Apart(decoder, latents) if self.config.taught_apart else decoder


def _ccvae(parts: Parts) -> Pair:
    space, style = parts.signature.space, parts.config.style
    latents = space.dimension + style
    blocks = [kind.block for kind in space.kinds for _ in kind.columns]
    ordered = [kind.form != "nominal" for kind in space.kinds for _ in kind.columns]
    decoder = parts.decoder(latents, blocks, ordered)
    model = CCVAE(
        space,
        parts.apart(decoder, ((space.dimension, True), (style, False))),
        parts.likelihood,
        style=style,
        frequencies=parts.frequencies,
    )
    encoder = build.block_encoder(
        parts.config.network,
        parts.signature.shape,
        blocks,
        style,
        trunks=parts.config.trunks or build.TRUNKS,
        heads=parts.config.heads,
        ordered=ordered,
    )
    return model, CCVAEGuide(space, encoder, style=style, link=parts.config.link)


def _vae(parts: Parts) -> Pair:
    style = parts.config.style
    model = VAE(parts.decoder(style), parts.likelihood, style=style)
    return model, VAEGuide(parts.encoder(style))


def _m2(parts: Parts) -> Pair:
    style, network = parts.config.style, parts.config.network
    space, shape = parts.signature.space, parts.signature.shape
    because = "whose sum over missing labels runs over all their classes together"
    space.takes("the program m2", ("nominal", "ordinal"), because)
    classes = space.classes
    decoder = build.joined_decoder(network, shape, style, classes, parts.numbers)
    model = M2(space, decoder, parts.likelihood, style=style, frequencies=parts.frequencies)
    return model, M2Guide(space, *build.joined_parts(network, shape, classes, style))


def _diva(parts: Parts) -> Pair:
    space, domains, style = parts.signature.space, parts.signature.domains, parts.config.style
    if domains < 2:
        raise ValueError(
            f"DIVA needs a data set with domains, and {parts.config.data!r} has none; choose faces "
            "or rotated-digits, or the program ccvae with the objective our-adapted-diva"
        )
    block = max(1, style // len(space))  # z_y has as many dimensions as z_x, shared by the labels
    widths = (style, style, block * len(space))
    decoder = parts.apart(
        parts.decoder(sum(widths)), ((style, False), (style, False), (widths[-1], True))
    )
    encoders = [parts.encoder(width) for width in widths]
    model = DIVA(
        space,
        domains,
        decoder,
        parts.likelihood,
        style=style,
        block=block,
        frequencies=parts.frequencies,
    )
    return model, DIVAGuide(space, domains, *encoders, style=style, block=block)


@dataclass(frozen=True)
class ProgramEntry:
    """All that the suite knows of one of its programs beside the files of its pair.

    Attributes:
        title: what it is called in running text.
        objectives: those that apply to it by name; its own first, which has the program's name.
        build: makes its pair.
        classifies: whether its guide names classes, and so needs rows with labels.
        has_blocks: whether every label has a block of the latent space, for studies to move.
        sums_jointly: whether the sum over missing labels runs over all settings of a row's labels
            together, which allows few of them.
        also: what else runs the same pair under objectives of its own.
    """

    title: str
    objectives: dict[str, type[ELBO]]
    build: Callable[[Parts], Pair]
    classifies: bool = True
    has_blocks: bool = False
    sums_jointly: bool = False
    also: str = ""

    @property
    def heading(self) -> str:
        """The title with those that it also serves."""
        return f"{self.title} and {self.also}" if self.also else self.title


ENTRIES = {
    "vae": ProgramEntry("VAE", {"vae": VAEObjective}, _vae, classifies=False),
    "m2": ProgramEntry(
        "M2", {"m2": M2Objective, "m2-score": M2ScoreObjective}, _m2, sums_jointly=True
    ),
    "diva": ProgramEntry("DIVA", {"diva": DIVAObjective}, _diva),
    "ccvae": ProgramEntry(
        "CC-VAE",
        {
            "ccvae": CCVAEObjective,
            "ccvae-authors": CCVAEAuthorsObjective,
            "adapted-diva": AdaptedDIVAObjective,
            "our-adapted-diva": OurAdaptedDIVAObjective,
            "marginal": MarginalObjective,
            "importance-weighted": ImportanceWeightedObjective,
        },
        _ccvae,
        has_blocks=True,
        also="the Adapted DIVAs",
    ),
}
"""The programs of the suite: to register one, write an entry here."""

PROGRAMS = {name: entry.objectives for name, entry in ENTRIES.items()}
"""For each program the objectives that apply to it, its own first."""
