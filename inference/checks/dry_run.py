"""One run of a program that is about to be checked."""

from __future__ import annotations

from pyro import poutine
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
                    f"the {name} failed {place} with {in_words(error)}; correct what it computes "
                    "there, or what it is called with"
                )
                self.error.__cause__ = error
        self.trace = tracer.trace
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


def in_words(error: Exception) -> str:
    """An exception's type and message, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
