"""Networks, injected into the programs: encoders and decoders for images of several sizes.

An encoder maps images ``(B, C, H, W)`` to the means and standard deviations ``(B, D)`` of D latent
dimensions; a decoder maps latents ``(…, D)`` to the raw numbers of a likelihood ``(…, C, H, W)``.
"""

from .build import NETWORKS, Shape
from .convolutional import (
    ConvDecoder,
    ConvDecoder28,
    ConvDecoder64,
    ConvEncoder,
    ConvEncoder28,
    ConvEncoder64,
    DIVADecoder28,
    DIVAEncoder28,
)
from .heads import Decoder, Encoder
from .independent import IndependentEncoder
from .joined import JoinedDecoder, JoinedEncoder
from .local import LocalDecoder
from .mlp import MLPDecoder, MLPEncoder
from .tables import Table

__all__ = [
    "NETWORKS",
    "ConvDecoder",
    "ConvDecoder28",
    "ConvDecoder64",
    "ConvEncoder",
    "ConvEncoder28",
    "ConvEncoder64",
    "DIVADecoder28",
    "DIVAEncoder28",
    "Decoder",
    "Encoder",
    "IndependentEncoder",
    "JoinedDecoder",
    "JoinedEncoder",
    "LocalDecoder",
    "MLPDecoder",
    "MLPEncoder",
    "Shape",
    "Table",
]
