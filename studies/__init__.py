"""Studies of a trained pair: each looks at it with the labels hidden and tells what it sees.

A study is a file with a function ``study(model, guide, rows, device)`` that returns a
:class:`Section`, or None where it has nothing to show. A report is the sections of all studies in
:data:`ccvae.studies.report.conduct.STUDIES`, in that order.
"""

from .drawing.section import Picture, Section

__all__ = ["Picture", "Section"]
