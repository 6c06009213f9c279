"""Studies of a trained pair: each looks at it with the labels hidden and tells what it sees.

A study is a file with a function ``study(subject)`` that returns a :class:`Section`, or None where
it has nothing to show; its one argument is a :class:`Subject`, a trained pair and rows that it was
not trained on. A report is the sections of all studies in
:data:`ccvae.studies.report.conduct.STUDIES`, in that order.
"""

from .drawing.section import Picture, Section
from .reading.subject import Subject

__all__ = ["Picture", "Section", "Subject"]
