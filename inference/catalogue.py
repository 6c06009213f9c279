"""The names that the command line knows, and how a configuration becomes a pair of programs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pyro.infer import ELBO
from torch import Tensor, nn

from ..config import Config
from ..data import LabelSpace
from ..guides import LINKS, CCVAEGuide, DIVAGuide, M2Guide, VAEGuide
from ..models import CCVAE, DIVA, LIKELIHOODS, M2, VAE, Laplace
from ..networks import Shape, build
from .adapted_diva import AdaptedDIVAObjective
from .ccvae import CCVAEObjective
from .ccvae_authors import CCVAEAuthorsObjective
from .diva import DIVAObjective
from .importance import ImportanceWeightedObjective
from .m2 import M2Objective, M2ScoreObjective
from .marginal import MarginalObjective
from .our_adapted_diva import OurAdaptedDIVAObjective
from .vae import VAEObjective

Pair = tuple[nn.Module, nn.Module]

PROGRAMS: dict[str, dict[str, type[ELBO]]] = {
    "vae": {"vae": VAEObjective},
    "m2": {"m2": M2Objective, "m2-score": M2ScoreObjective},
    "diva": {"diva": DIVAObjective},
    "ccvae": {
        "ccvae": CCVAEObjective,
        "ccvae-authors": CCVAEAuthorsObjective,
        "adapted-diva": AdaptedDIVAObjective,
        "our-adapted-diva": OurAdaptedDIVAObjective,
        "marginal": MarginalObjective,
        "importance-weighted": ImportanceWeightedObjective,
    },
}
"""For each program the objectives that apply to it, its own first."""


def choose(what: str, name: str, known: Iterable[str]) -> None:
    """Raise unless ``name`` is known.

    Raises:
        ValueError: listing the names that are.
    """
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}; choose one of {', '.join(known)}")


def objective_class(config: Config) -> Any:
    """What the configured objective is made by: a class of the suite's or of the user's.

    Raises:
        ValueError: for a name that is neither.
    """
    choose("program", config.program, PROGRAMS)
    if ":" in config.objective:
        return load_attribute(config.objective)
    known = PROGRAMS[config.program]
    name = config.objective or next(iter(known))
    choose(f"objective of {config.program}", name, known)
    return known[name]


def build_objective(config: Config) -> ELBO:
    """The configured objective: one of the suite's, or ``module:attribute`` of the user's.

    Raises:
        ValueError: for a name that is neither, or an α for an objective without one.
    """
    kind = objective_class(config)
    options: dict[str, Any] = {} if config.alpha is None else {"alpha": config.alpha}
    if config.warm_up:
        options["warm_up"] = config.warm_up
    try:
        objective: ELBO = kind(**options)
    except TypeError as error:
        raise ValueError(
            f"the objective {config.objective or config.program!r} could not be made with "
            f"{options or 'no options'} ({error}); give --alpha and --warm-up to objectives that "
            "have them"
        ) from error
    return objective


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
    config: Config,
    space: LabelSpace,
    shape: Shape,
    frequencies: Sequence[Tensor] | None = None,
    domains: int = 0,
) -> Pair:
    """Model and guide for images of ``shape`` (C, H, W) with the labels of ``space``.

    Args:
        config: which program, with which networks and likelihood.
        space, shape: of the data set.
        frequencies: p(y), as ``space.frequencies(labels)`` returns it; uniform by default.
        domains: number of domains of the data set, for programs that have them.

    Raises:
        ValueError: where the network does not fit the images, or the data the program.
    """
    choose("program", config.program, PROGRAMS)
    choose("link", config.link, LINKS)
    build.check(config.network, shape)
    likelihood = build_likelihood(config)
    numbers = shape[0] * likelihood.parameters_per_channel
    builders: dict[str, Callable[..., Pair]] = {
        "vae": _vae,
        "m2": _m2,
        "diva": _diva,
        "ccvae": _ccvae,
    }
    return builders[config.program](config, space, shape, likelihood, numbers, frequencies, domains)


def _ccvae(
    config: Config,
    space: LabelSpace,
    shape: Shape,
    likelihood: Any,
    numbers: int,
    frequencies: Sequence[Tensor] | None,
    _: int,
) -> Pair:
    latents = space.dimension + config.style
    decoder = build.decoder(config.network, shape, latents, numbers)
    encoder = build.encoder(config.network, shape, latents)
    style = config.style
    model = CCVAE(space, decoder, likelihood, style=style, frequencies=frequencies)
    return model, CCVAEGuide(space, encoder, style=style, link=config.link)


def _vae(
    config: Config,
    _space: LabelSpace,
    shape: Shape,
    likelihood: Any,
    numbers: int,
    *_: object,
) -> Pair:
    decoder = build.decoder(config.network, shape, config.style, numbers)
    encoder = build.encoder(config.network, shape, config.style)
    return VAE(decoder, likelihood, style=config.style), VAEGuide(encoder)


def _m2(
    config: Config,
    space: LabelSpace,
    shape: Shape,
    likelihood: Any,
    numbers: int,
    frequencies: Sequence[Tensor] | None,
    _: int,
) -> Pair:
    classes = [len(label.classes) for label in space]
    decoder = build.joined_decoder(config.network, shape, config.style, classes, numbers)
    encoder = build.joined_encoder(config.network, shape, classes, config.style)
    classifier = build.classifier(config.network, shape, sum(classes))
    model = M2(space, decoder, likelihood, style=config.style, frequencies=frequencies)
    return model, M2Guide(space, classifier, encoder)


def _diva(
    config: Config,
    space: LabelSpace,
    shape: Shape,
    likelihood: Any,
    numbers: int,
    frequencies: Sequence[Tensor] | None,
    domains: int,
) -> Pair:
    if domains < 2:
        raise ValueError(
            f"DIVA needs a data set with domains, and {config.data!r} has none; choose faces or "
            "rotated-digits, or the program ccvae with the objective our-adapted-diva"
        )
    style = config.style
    block = max(1, style // len(space))
    decoder = build.decoder(config.network, shape, 2 * style + block * len(space), numbers)
    encoders = [
        build.encoder(config.network, shape, width) for width in (style, style, block * len(space))
    ]
    model = DIVA(
        space, domains, decoder, likelihood, style=style, block=block, frequencies=frequencies
    )
    return model, DIVAGuide(space, domains, *encoders, style=style, block=block)


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
