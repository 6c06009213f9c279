"""Tables: modules whose numbers are each looked up by themselves."""

from __future__ import annotations

from torch import nn


class Table(nn.Module):
    """A module of a few numbers, each of which is moved by its own steps alone.

    What a network puts out is moved by the steps of thousands of weights together. So tables take
    larger steps, see :func:`ccvae.inference.training.adam`.
    """
