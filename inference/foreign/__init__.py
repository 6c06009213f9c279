"""Programs and minibatches of the user's: pairs as modules, and what they are called with.

:mod:`.program` makes a module of any Pyro program, whose parameters stand in Pyro's store or in
networks, :mod:`.pair` finds both programs by their word and completes them on a first batch, and
:mod:`.inputs` draws minibatches of the user's, the same however often a training stops.
"""

from .inputs import Inputs, Minibatch
from .pair import own_pair
from .program import Foreign, complete

__all__ = ["Foreign", "Inputs", "Minibatch", "complete", "own_pair"]
