"""Objectives to be maximised, one file each: a class whose ``formula`` returns named terms.

``base`` says what every objective is, ``draw`` is the joint draw that it reads its terms from,
``sites`` what the sites of two programs must agree on, and ``classifiers`` holds the terms of
classifiers that several objectives share.
"""

from .adapted_diva import AdaptedDIVAObjective
from .base import Objective, ObjectiveModule
from .ccvae import CCVAEObjective
from .ccvae_authors import CCVAEAuthorsObjective
from .classifiers import log_classifier, log_evidence, log_observed
from .diva import DIVAObjective
from .draw import Draw
from .importance import ImportanceWeightedObjective
from .m2 import M2Objective, M2ScoreObjective
from .marginal import MarginalObjective
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
    "ObjectiveModule",
    "OurAdaptedDIVAObjective",
    "VAEObjective",
    "log_classifier",
    "log_evidence",
    "log_observed",
]
