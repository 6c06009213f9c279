"""The inference programs; a guide has the file name of the model that it belongs to."""

from .bayes import Bayes
from .blocks import Block, Conditioned
from .ccvae import CCVAEGuide
from .characteristic import Characteristic
from .contracts import Classifier, Partitioned
from .diva import DIVAGuide
from .links import LINKS, Logit, Probit
from .m2 import M2Guide
from .ordinal import OrdinalBlock
from .predictions import ClassPrediction, NumberPrediction, Prediction
from .real import RealBlock
from .vae import VAEGuide

__all__ = [
    "LINKS",
    "Bayes",
    "Block",
    "CCVAEGuide",
    "Characteristic",
    "ClassPrediction",
    "Classifier",
    "Conditioned",
    "DIVAGuide",
    "Logit",
    "M2Guide",
    "NumberPrediction",
    "OrdinalBlock",
    "Partitioned",
    "Prediction",
    "Probit",
    "RealBlock",
    "VAEGuide",
]
