"""What a program of the user's fails with in the middle of a training, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from ...faults import is_want_of_memory, words_of
from .program import Foreign


@contextmanager
def telling(module: nn.Module, epoch: int, step: int) -> Iterator[None]:
    """Say at which step programs of the user's failed; those of the suite are left to others.

    Args:
        module: an objective of both programs. epoch, step: counted from 0.

    Raises:
        ValueError: where a program fails, or the objective depends on nothing that is trained.
    """
    try:
        yield
    except ValueError as error:
        if "cannot be differentiated" not in str(error):
            raise
        raise ValueError(
            "the objective depends on no parameter of either program, so there is nothing to "
            "train; see whether something detaches them, or computes without gradients"
        ) from error
    except Exception as error:
        own = any(isinstance(part, Foreign) for part in module.modules())
        if not own or is_want_of_memory(error):
            raise
        before = "the steps before went through, so see what is other about this minibatch"
        first = "it is the first, so correct what fails there"
        raise ValueError(
            f"the pair failed at step {step + 1} of epoch {epoch + 1} with {words_of(error)}; "
            f"{before if epoch or step else first}"
        ) from error
