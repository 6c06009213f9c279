"""Objectives, one file each, and what runs them."""

from .ccvae import CCVAEObjective
from .ccvae_authors import CCVAEAuthorsObjective
from .draw import Draw
from .objective import Objective

__all__ = ["CCVAEAuthorsObjective", "CCVAEObjective", "Draw", "Objective"]
