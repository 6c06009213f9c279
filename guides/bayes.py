"""The handler that makes CC-VAE of Adapted DIVA: a guide conditioned on its own labels."""

from __future__ import annotations

from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message

from .blocks import Block


class Bayes(Messenger):
    """Condition every characteristic block of a guide on the evidence that its site states.

    Run under this handler, q(z_c | x) becomes q(z_c | x) q(y | z_c) / q(y | x) on rows whose label
    is observed, and stays what it is where the label is missing.

    >>> import torch
    >>> from ccvae.guides import Characteristic, Probit
    >>> one = torch.ones(1, 1)
    >>> q = Characteristic(0 * one, one, one, 0 * one, Probit())
    >>> guide = lambda: pyro.sample("z_c", q, infer={"evidence": one[0]})
    >>> import pyro
    >>> trace = pyro.poutine.trace(Bayes()(guide)).get_trace()
    >>> trace.nodes["z_c"]["fn"].log_evidence().exp()
    tensor([0.5000])
    """

    def _pyro_sample(self, msg: Message) -> None:
        fn, infer = msg["fn"], msg["infer"] or {}
        if isinstance(fn, Block) and "evidence" in infer:
            msg["fn"] = fn.given(infer["evidence"])
