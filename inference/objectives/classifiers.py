"""What an objective asks of a guide beyond its densities: its classifiers at the evidence."""

from __future__ import annotations

import torch
from torch import Tensor

from ...guides import Block, Conditioned
from ...models.joint import JointLabels
from .draw import Draw, Site, total


def blocks(draw: Draw) -> list[tuple[Conditioned, Site]]:
    """The guide's blocks with the labels that they state as evidence, and their sites.

    Raises:
        ValueError: where the guide's z_c is of another kind.
    """
    found = []
    for site in draw.sites("q", "z_c"):
        fn = site["fn"]
        if isinstance(fn, Block) and "evidence" in site["infer"]:
            fn = fn.given(site["infer"]["evidence"])
        if not isinstance(fn, Conditioned):
            raise ValueError(
                f"this objective needs q(y|z_c) of the site {site['name']!r}, which is a "
                f"{type(fn).__name__}; sample it from a Characteristic with "
                'infer={"evidence": y}, or choose an objective without a classifier'
            )
        found.append((fn, site))
    return found


def log_evidence(draw: Draw) -> Tensor:
    """Log q(y_O|x) of the observed labels, ``(B,)``, exactly."""
    return total([draw.per_row(b.log_evidence(), s) for b, s in blocks(draw)])


def log_classifier(draw: Draw, *, detach: bool = False) -> Tensor:
    """Log q(y_O|z_c) of the observed labels at the draw, ``(B,)``.

    Args:
        detach: keep the gradient from the draw of z_c, and so from the encoder.
    """
    values = []
    for block, site in blocks(draw):
        z_c = site["value"].detach() if detach else site["value"]
        values.append(draw.per_row(block.log_classifier(z_c), site))
    return total(values)


def log_observed(draw: Draw, name: str) -> Tensor:
    """The guide's log-density of what a site's evidence states, ``(B,)``; 0 where it is missing.

    Args:
        draw: of a guide whose site has ``infer={"evidence": codes}``, NaN where missing.
        name: the site's, ``"y"`` for labels or ``"d"`` for domains.

    Raises:
        ValueError: where a site states no evidence.
    """
    values = []
    for site in draw.sites("q", name):
        if "evidence" not in site["infer"]:
            raise ValueError(
                f"this objective needs the observed labels at the guide's site {site['name']!r}, "
                'which states none; give it infer={"evidence": y}, NaN where missing, or choose an '
                "objective that fits the program"
            )
        fn, codes = site["fn"], site["infer"]["evidence"]
        if isinstance(fn, JointLabels):
            density = fn.counting(True).log_prob(codes)
        else:
            density = torch.where(codes.isnan(), 0.0, fn.log_prob(codes.nan_to_num()))
        values.append(draw.per_row(density, site))
    return total(values)
