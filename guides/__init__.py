"""The inference programs; a guide has the file name of the model that it belongs to."""

from .bayes import Bayes
from .ccvae import CCVAEGuide
from .characteristic import Characteristic, Conditioned
from .contracts import Classifier, Partitioned
from .diva import DIVAGuide
from .links import LINKS, Logit, Probit
from .m2 import M2Guide
from .vae import VAEGuide

__all__ = [
    "LINKS",
    "Bayes",
    "CCVAEGuide",
    "Characteristic",
    "Classifier",
    "Conditioned",
    "DIVAGuide",
    "Logit",
    "M2Guide",
    "Partitioned",
    "Probit",
    "VAEGuide",
]
