"""One run of a program that is about to be checked."""

from __future__ import annotations

import re

from pyro import poutine
from pyro.poutine.guide import GuideMessenger
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from pyro.poutine.util import site_is_subsample

from ..objectives.sites import Program, sample_sites
from .finite import NotFiniteError, not_finite, parameters


class Run:
    """One run of a program.

    Args:
        name: ``"model"`` or ``"guide"``.
        program, args, kwargs: what is run, and on what.
        numbers: whether its tensors have values that can be looked at.

    Attributes:
        trace: Pyro's, up to where the program failed, if it did.
        sites: those of the trace that have a density, by name.
        error: what it failed with, None if it did not.

    Raises:
        NotFiniteError: where a site's parameters are NaN.
    """

    def __init__(
        self,
        name: str,
        program: Program,
        args: tuple[object, ...],
        kwargs: dict[str, object],
        numbers: bool,
    ) -> None:
        self.name, self.numbers = name, numbers
        self.error: ValueError | None = None
        with poutine.trace() as tracer, Guard(name, numbers) as guard:
            try:
                program(*args, **kwargs)
            except NotFiniteError:
                raise
            except Exception as error:
                place = f"after its site {guard.last!r}" if guard.last else "before its first site"
                self.error = ValueError(
                    f"the {name} failed {place} with {in_words(error)}; {advice(str(error))}"
                )
                self.error.__cause__ = error
        self.trace = tracer.trace
        if isinstance(poutine.unwrap(program), GuideMessenger):
            # Such a guide runs the model, whose observations are not its own.
            for name, site in list(self.trace.nodes.items()):
                if site["type"] == "sample" and site["is_observed"]:
                    self.trace.remove_node(name)
        self.sites = sample_sites(self.trace)


class Guard(Messenger):
    """Stops a program before it draws from NaN, and remembers the last site that it finished.

    On a GPU a draw from NaN probabilities would end the process.
    """

    def __init__(self, name: str, numbers: bool) -> None:
        super().__init__()
        self.name, self.numbers = name, numbers
        self.last = ""

    def _pyro_sample(self, msg: Message) -> None:
        if not self.numbers or site_is_subsample(msg):
            return
        for name, tensor in parameters(msg["fn"], stated=True):
            if tensor.isnan().any():
                raise NotFiniteError(not_finite(self.name, msg, "parameter", tensor.isnan(), name))

    def _pyro_post_sample(self, msg: Message) -> None:
        if not site_is_subsample(msg):
            self.last = msg["name"]


def advice(words: str) -> str:
    """What to do about an error of torch's or Pyro's, by what it says."""
    for pattern, remedy in ADVICE.items():
        if re.search(pattern, words):
            return remedy
    return "correct what it computes there, or what it is called with"


ADVICE = {
    "must all be instances of Number|numpy.ndarray|'ndarray'": (
        "give tensors in the place of NumPy arrays, by torch.as_tensor()"
    ),
    "Shape mismatch inside plate": (
        "a plate covers one batch dimension: make those to its right part of the event with "
        ".to_event(n), or give the plate the dim that has its size"
    ),
    "collide at dim": "give the plates different dims, as dim=-1 and dim=-2",
    "Multiple sample sites named": "give every site and every plate its own name",
    "mat1 and mat2 shapes|size mismatch|expected input.* to have|Given groups": (
        "a layer was built for inputs of another shape: look at the shapes of the batch, or "
        "build the network for them"
    ),
    "must match the size|shapes cannot be broadcast|not broadcastable": (
        "bring the tensors there to one shape, or the batch to the shape that the program expects"
    ),
    "Expected all tensors to be on the same device": "move programs and batch to one device",
    "same dtype|but got .*Float|Found dtype|expected scalar type": (
        "bring the tensors there to one type, as .float() does"
    ),
}
"""What to do, by what an error says."""


def in_words(error: Exception) -> str:
    """An exception's type and message, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
