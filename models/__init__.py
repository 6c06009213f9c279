"""The generative programs, one file for each graphical model."""

from .ccvae import CCVAE
from .contracts import ClassBlocks
from .diva import DIVA
from .intervention import do
from .likelihoods import LIKELIHOODS, Bernoulli, Laplace, Levels256, Normal
from .m2 import M2
from .program import NetworkProgram
from .vae import VAE

__all__ = [
    "CCVAE",
    "DIVA",
    "LIKELIHOODS",
    "M2",
    "VAE",
    "Bernoulli",
    "ClassBlocks",
    "Laplace",
    "Levels256",
    "NetworkProgram",
    "Normal",
    "do",
]
