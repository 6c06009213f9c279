"""The machine for comparisons: trainings side by side that resume, and what is made of them."""

from .comparing import Compared, compare
from .plan import Comparison

__all__ = ["Compared", "Comparison", "compare"]
