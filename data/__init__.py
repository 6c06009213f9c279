"""Data sets and their labels.

:mod:`.labels` says what a row is annotated with, in the four forms of :mod:`.forms`,
:mod:`.classes` lays the classes of all labels side by side, :mod:`.dataset` holds images and labels
and draws batches (:mod:`.batch`), :mod:`.symmetries` says what may be done to an image in training,
:mod:`.faces` and :mod:`.digits` make the two data sets that the suite brings.

:mod:`.celeba` and :mod:`.images` read image files, which :mod:`.decode` turns into arrays that
:mod:`.cache` keeps; :mod:`.arrays` reads images that are one array. Their labels come from a table
(:mod:`.table`, whatever :mod:`.carriers` it is in) or from names (:mod:`.naming`). :mod:`.files`
finds the files that a table speaks of, :mod:`.splits` what they are for, and :mod:`.reading` the
labels: what a column means (:mod:`.kinds`, :mod:`.identifiers`, :mod:`.spelling`), which entries
are missing (:mod:`.marks`), their codes (:mod:`.columns`), and columns that belong together
(:mod:`.groups`). :mod:`.summary` says what came of it.
"""

from .batch import Batch
from .dataset import Dataset, Rows
from .forms import Binary, Categorical, Label, Ordinal, Real
from .labels import Kind, LabelSpace
from .missing import rows_by_missing
from .symmetries import Symmetries

__all__ = [
    "Batch",
    "Binary",
    "Categorical",
    "Dataset",
    "Kind",
    "Label",
    "LabelSpace",
    "Ordinal",
    "Real",
    "Rows",
    "Symmetries",
    "rows_by_missing",
]
