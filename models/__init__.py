"""The generative programs, one file for each graphical model."""

from .ccvae import CCVAE
from .likelihoods import LIKELIHOODS, Bernoulli, Laplace, Levels256, Normal

__all__ = ["CCVAE", "LIKELIHOODS", "Bernoulli", "Laplace", "Levels256", "Normal"]
