"""Objectives, one file each, and what runs them."""

from .adapted_diva import AdaptedDIVAObjective
from .ccvae import CCVAEObjective
from .ccvae_authors import CCVAEAuthorsObjective
from .check import check_pair
from .diva import DIVAObjective
from .draw import Draw
from .importance import ImportanceWeightedObjective
from .m2 import M2Objective, M2ScoreObjective
from .marginal import MarginalObjective
from .objective import Objective
from .our_adapted_diva import OurAdaptedDIVAObjective
from .vae import VAEObjective

__all__ = [
    "AdaptedDIVAObjective",
    "CCVAEAuthorsObjective",
    "CCVAEObjective",
    "DIVAObjective",
    "Draw",
    "ImportanceWeightedObjective",
    "M2Objective",
    "M2ScoreObjective",
    "MarginalObjective",
    "Objective",
    "OurAdaptedDIVAObjective",
    "VAEObjective",
    "check_pair",
]
