"""What a trained pair says of images whose labels are hidden: codes, reconstructions, classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyro
import torch
from pyro import poutine
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import prune_subsample_sites
from torch import Tensor, nn

from ...data import Batch, LabelSpace, Rows
from ...guides.contracts import Classifier, classifying
from ...guides.real import ThreeNodes
from ...models.joint import JointLabels
from ..foreign import Foreign

Latents = dict[str, Tensor]


class Typical(Messenger):
    """Run a program at its typical values: latents and numbers at their mean, labels at the
    likeliest class.
    """

    def _pyro_sample(self, msg: Message) -> None:
        if msg["is_observed"] or msg["done"] or msg["infer"].get("_deterministic"):
            return
        fn: Any = msg["fn"]
        if isinstance(fn, ThreeNodes):
            msg["value"] = fn.mean
            msg["done"] = True
        elif fn.has_enumerate_support and not fn.event_shape:
            classes = fn.enumerate_support()
            msg["value"] = classes.gather(0, fn.log_prob(classes).argmax(0, keepdim=True))[0]
            msg["done"] = True
        elif isinstance(fn, JointLabels):
            msg["value"] = fn.mode
            msg["done"] = True
        elif fn.has_rsample:
            msg["value"] = fn.mean
            msg["done"] = True


@torch.no_grad()
def encode(guide: nn.Module, batch: Batch) -> Latents:
    """The guide's typical latents for a batch with its labels hidden, by site name."""
    with pyro.get_param_store().scope(), Typical():
        trace = poutine.trace(guide).get_trace(*batch.hidden().args, **batch.kwargs)
    return {
        name: site["value"]
        for name, site in prune_subsample_sites(trace).nodes.items()
        if site["type"] == "sample" and not site["is_observed"]
    }


@torch.no_grad()
def decode(model: nn.Module, latents: Latents, batch: Batch) -> Tensor:
    """The mean image ``(B, C, H, W)`` of the model at given latents."""
    _, y, d = batch.hidden().args
    # A program of the suite draws what it is not given; one of a user's may need to see it.
    x = batch.x if isinstance(model, Foreign) else None
    with pyro.get_param_store().scope(), Typical(), poutine.condition(data=latents):
        trace = poutine.trace(model).get_trace(x, y, d, **batch.kwargs)
    image: Tensor = trace.nodes["x"]["fn"].mean
    return image.squeeze(-4)


def reconstruct(model: nn.Module, guide: nn.Module, batch: Batch) -> Tensor:
    """The mean image ``(B, C, H, W)`` at the guide's typical latents, labels hidden."""
    return decode(model, encode(guide, batch), batch)


def draws_images(
    model: nn.Module, guide: nn.Module, rows: Rows, device: torch.device | str = "cpu"
) -> bool:
    """Whether a pair has a site ``x`` whose mean is an image: the suite's have."""
    if not isinstance(model, Foreign):
        return True
    batch = rows.batch(torch.arange(min(2, len(rows))), device)
    try:
        return reconstruct(model, guide, batch).shape == batch.x.shape
    except (AttributeError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return False


@torch.no_grad()
def classify(guide: nn.Module | Classifier, space: LabelSpace, x: Tensor) -> Tensor:
    """The likeliest code of every label, ``(B, L)``, by q(y|x).

    Raises:
        ValueError: for a guide without a classifier.
    """
    return codes_of(space, [each.likeliest for each in classifying(guide).predict(x)])


def codes_of(space: LabelSpace, tables: Sequence[Tensor]) -> Tensor:
    """Codes ``(B, L)`` in the labels' order, from those of each kind ``(B, n)``."""
    codes = torch.empty(len(tables[0]), len(space), device=tables[0].device)
    for kind, table in zip(space.kinds, tables, strict=True):
        codes[:, list(kind.columns)] = table.to(codes.dtype)
    return codes
