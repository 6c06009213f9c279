"""What is wrong with a pair of programs before it is trained, and with a step that failed."""

from .pair import check_pair

__all__ = ["check_pair"]
