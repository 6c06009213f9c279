"""Networks of the user's by a word."""

from __future__ import annotations

from typing import Any

from torch import nn

from ..faults import place_of
from ..loading import load_class


def own(network: str, part: str, *arguments: Any) -> Any:
    """The ``"encoder"`` or the ``"decoder"`` of the network that ``module:encoder,decoder`` names.

    Raises:
        ValueError: where it does not name two classes, or this one cannot be loaded or made.
    """
    module, _, names = network.partition(":")
    pair = names.split(",")
    if len(pair) != 2:
        raise ValueError(
            f"expected module:encoder,decoder, got the network {network!r}; name two classes, made "
            "as encoder(shape, outputs) and decoder(inputs, shape)"
        )
    encoder_name, decoder_name = pair
    name = (decoder_name if part == "decoder" else encoder_name).strip()
    kind = load_class(f"{module}:{name}", nn.Module)
    try:
        return kind(*arguments)
    except Exception as error:
        if not isinstance(error, TypeError):
            place = place_of(error) or name
            raise ValueError(
                f"the {part} of the network {network!r} failed at {place} with "
                f"{type(error).__name__}: {error}; correct what it does there"
            ) from error
        raise ValueError(
            f"the {part} of the network {network!r} could not be made as {name}{arguments} "
            f"({error}); an encoder takes (shape, outputs), a decoder (inputs, shape)"
        ) from error
