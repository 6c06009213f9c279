"""What a trained pair is worth, and what it says of images whose labels are hidden."""

from .evaluating import evaluate, majority
from .prediction import classify, decode, encode, reconstruct

__all__ = ["classify", "decode", "encode", "evaluate", "majority", "reconstruct"]
