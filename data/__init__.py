"""Data sets and their labels.

:mod:`.labels` says what a row is annotated with, :mod:`.classes` lays the classes of all labels
side by side, :mod:`.dataset` holds images and labels and draws batches, :mod:`.faces` and
:mod:`.digits` make the two data sets that the suite brings along. :mod:`.celeba` and :mod:`.images`
read image files, which :mod:`.decode` turns into arrays that :mod:`.cache` keeps; :mod:`.table` and
:mod:`.columns` read their labels. :mod:`.symmetries` are what may be done to an image in training.
"""

from .dataset import Batch, Dataset, Rows
from .labels import Binary, Categorical, Kind, Label, LabelSpace
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
    "Rows",
    "Symmetries",
    "rows_by_missing",
]
