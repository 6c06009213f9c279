"""The names that the command line knows, and how a configuration becomes a pair of programs."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import Any

from pyro.infer import ELBO
from torch import Tensor, nn

from ..config import Config
from ..data import LabelSpace
from ..guides import LINKS, CCVAEGuide
from ..models import CCVAE, LIKELIHOODS, Laplace
from ..networks import (
    ConvDecoder28,
    ConvDecoder64,
    ConvEncoder28,
    ConvEncoder64,
    MLPDecoder,
    MLPEncoder,
)
from .ccvae import CCVAEObjective
from .ccvae_authors import CCVAEAuthorsObjective

Shape = tuple[int, int, int]

PROGRAMS: dict[str, dict[str, type[ELBO]]] = {
    "ccvae": {"ccvae": CCVAEObjective, "ccvae-authors": CCVAEAuthorsObjective},
}
"""For each program the objectives that apply to it, its own first."""

NETWORKS = {"auto": None, "conv64": (64, 64), "conv28": (28, 28), "mlp": None}
"""The networks by name, with the image size that they take; ``auto`` is the one that fits."""


def choose(what: str, name: str, known: Iterable[str]) -> None:
    """Raise unless ``name`` is known.

    Raises:
        ValueError: listing the names that are.
    """
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}; choose one of {', '.join(known)}")


def build_objective(config: Config) -> ELBO:
    """The configured objective: one of the suite's, or ``module:attribute`` of the user's.

    Raises:
        ValueError: for a name that is neither, or an α for an objective without one.
    """
    choose("program", config.program, PROGRAMS)
    known = PROGRAMS[config.program]
    if ":" in config.objective:
        kind = load_attribute(config.objective)
    else:
        name = config.objective or next(iter(known))
        choose(f"objective of {config.program}", name, known)
        kind = known[name]
    options = {} if config.alpha is None else {"alpha": config.alpha}
    try:
        return kind(**options)
    except TypeError as error:
        raise ValueError(
            f"the objective {config.objective!r} could not be made with {options or 'no options'} "
            f"({error}); give --alpha to objectives that have one"
        ) from error


def load_attribute(path: str) -> Any:
    """What ``module:attribute`` names.

    Raises:
        ValueError: where there is no such module or attribute.
    """
    module, _, attribute = path.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"cannot load {path!r}: {error}; give module:attribute of something importable"
        ) from error


def build_pair(
    config: Config, space: LabelSpace, shape: Shape, frequencies: Sequence[Tensor] | None = None
) -> tuple[nn.Module, nn.Module]:
    """Model and guide for images of ``shape`` (C, H, W) with the labels of ``space``.

    Args:
        config: which program, with which networks and likelihood.
        space, shape: of the data set.
        frequencies: p(y), as ``space.frequencies(labels)`` returns it; uniform by default.

    Raises:
        ValueError: where the network does not fit the images.
    """
    choose("program", config.program, PROGRAMS)
    choose("link", config.link, LINKS)
    likelihood = build_likelihood(config)
    latents = space.dimension + config.style
    numbers = shape[0] * likelihood.parameters_per_channel
    model = CCVAE(
        space,
        build_decoder(config.network, shape, latents, numbers),
        likelihood,
        style=config.style,
        frequencies=frequencies,
    )
    encoder = build_encoder(config.network, shape, latents)
    return model, CCVAEGuide(space, encoder, style=config.style, link=config.link)


def build_likelihood(config: Config) -> Any:
    """The configured likelihood.

    Raises:
        ValueError: for an unknown name, or a scale for a likelihood that has none.
    """
    choose("likelihood", config.likelihood, LIKELIHOODS)
    kind = LIKELIHOODS[config.likelihood]
    if issubclass(kind, Laplace):
        return kind(config.scale, learn=config.learn_scale)
    if config.learn_scale or config.scale != 1:
        raise ValueError(
            f"the likelihood {config.likelihood!r} has no scale; drop --scale and --learn-scale, "
            "or choose laplace or normal"
        )
    return kind()


def build_encoder(network: str, shape: Shape, outputs: int) -> nn.Module:
    """The encoder of a network by name, with ``outputs`` means and standard deviations."""
    match _network(network, shape):
        case "conv64":
            return ConvEncoder64(shape[0], outputs)
        case "conv28":
            return ConvEncoder28(shape[0], outputs)
        case _:
            return MLPEncoder(shape, outputs)


def build_decoder(network: str, shape: Shape, inputs: int, numbers: int) -> nn.Module:
    """The decoder of a network by name, with ``numbers`` raw numbers for each pixel."""
    match _network(network, shape):
        case "conv64":
            return ConvDecoder64(inputs, numbers)
        case "conv28":
            return ConvDecoder28(inputs, numbers)
        case _:
            return MLPDecoder(inputs, (numbers, *shape[1:]))


def _network(name: str, shape: Shape) -> str:
    choose("network", name, NETWORKS)
    if name == "auto":
        return next((n for n, size in NETWORKS.items() if size == shape[1:]), "mlp")
    size = NETWORKS[name]
    if size not in (None, shape[1:]):
        raise ValueError(
            f"the network {name!r} takes images of {size} pixels, got {shape[1:]}; resize the "
            "images, or choose the network auto or mlp"
        )
    return name
