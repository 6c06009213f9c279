"""The inference programs; a guide has the file name of the model that it belongs to."""

from .bayes import Bayes
from .ccvae import CCVAEGuide
from .characteristic import Characteristic, Conditioned
from .links import LINKS, Logit, Probit

__all__ = ["LINKS", "Bayes", "CCVAEGuide", "Characteristic", "Conditioned", "Logit", "Probit"]
