"""Objectives, what checks them, and what trains, keeps and evaluates a pair of programs.

=================  ===============================================================================
``objectives/``    one file an objective, and the draw that all of them read
``checks/``        what is wrong with a pair before it is trained, and with a step that failed
``evaluation/``    accuracy, bound, reconstruction and predictions of a trained pair
``training/``      the loop, its optimiser, noise and checkpoints, and the plain classifier
``runs/``          run directories, and a training from its configuration to its last epoch
``catalogue.py``   the names that the command line knows
=================  ===============================================================================

A room imports from those above it and from none below: ``runs`` stands on ``training``, that on
``evaluation`` and ``checks``, and those on ``objectives``.
"""

from . import objectives
from .checks import check_pair
from .objectives import *  # noqa: F403

__all__ = ["check_pair"]
__all__ += objectives.__all__
