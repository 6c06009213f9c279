"""What ArviZ does for the embedding: it keeps the draws in its format and draws their densities.

ArviZ 1 is another library than ArviZ 0.23, which Python 3.11 is left with. What differs is here.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[Any]


def arviz() -> Any:
    """The library, whose import takes a second, without the advertisement of its next version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz as library
    return library


def is_new(library: Any) -> bool:
    """Whether it is ArviZ 1 or later."""
    return int(library.__version__.partition(".")[0]) >= 1


def to_arviz(draws: Mapping[str, Array], classes: Mapping[str, Array]) -> Any:
    """Draws with the annotated classes beside, as ArviZ's InferenceData or DataTree.

    Args:
        draws: by name ``(N,)`` or ``(N, D)``: one draw for every image, kept in the group
            ``posterior`` as one chain.
        classes: by name ``(N,)``, codes with NaN where unknown, kept in ``constant_data``.
    """
    library = arviz()
    groups = {"posterior": {name: values[None] for name, values in draws.items()}}
    dims = {name: [f"{name}_component"] for name, values in draws.items() if values.ndim == 2}
    if is_new(library):
        # A variable has the same dimensions in every group, so each group is made by itself.
        tree = library.from_dict(groups, dims=dims)
        codes = library.from_dict({"constant_data": dict(classes)}, dims=_draw(classes))
        return tree.assign({"constant_data": codes["constant_data"]})
    found = library.from_dict(posterior=groups["posterior"], dims=dims)
    codes = library.from_dict(constant_data=dict(classes), dims=_draw(classes))
    found.extend(codes)
    return found


def _draw(names: Mapping[str, Array]) -> dict[str, list[str]]:
    return {name: ["draw"] for name in names}


def netcdf(draws: Mapping[str, Array], classes: Mapping[str, Array]) -> bytes:
    """The same as a netCDF file, which ``arviz.from_netcdf`` reads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draws.nc"
        to_arviz(draws, classes).to_netcdf(path, engine="h5netcdf")
        return path.read_bytes()


def densities(
    samples: Sequence[Array], colours: Sequence[str], size: tuple[float, float]
) -> tuple[Figure, Axes]:
    """The density of each sample ``(N,)`` in its colour; none of one without spread.

    Args:
        samples: the draws of each class. colours: of each. size: in inches.
    """
    smooth = [
        (sample, colour)
        for sample, colour in zip(samples, colours, strict=True)
        if len(sample) > 1 and np.ptp(sample) > 0
    ]
    library = arviz()
    draw = _plot_dist if is_new(library) and smooth else _plot_density
    figure, axes = draw(library, smooth, size)
    axes.set(title="", yticks=[])
    for line in axes.lines:
        line.set(linewidth=1.8, label="_")  # kept out of legends
    return figure, axes


Smooth = Sequence[tuple[Array, str]]


def _plot_density(library: Any, smooth: Smooth, size: tuple[float, float]) -> tuple[Figure, Axes]:
    """By ArviZ 0.23, on axes of ours."""
    figure = Figure(figsize=size)
    axes = figure.add_subplot()
    if smooth:
        data, colours = zip(*smooth, strict=True)
        library.plot_density(
            [{"z": sample[None]} for sample in data],
            colors=list(colours),
            data_labels=[str(k) for k in range(len(data))],
            hdi_prob=1,
            point_estimate=None,
            shade=0.3,
            ax=axes,
            show=False,
        )
    legend = axes.get_legend()
    if legend is not None:
        legend.remove()
    return figure, axes


def _plot_dist(library: Any, smooth: Smooth, size: tuple[float, float]) -> tuple[Figure, Axes]:
    """By ArviZ 1, which makes the axes; sample by sample, since these differ in length."""
    from matplotlib import pyplot

    parts = ("credible_interval", "point_estimate", "point_estimate_text", "title", "remove_axis")
    drawn: Any = None
    for sample, colour in smooth:
        drawn = library.plot_dist(
            library.from_dict({"posterior": {"z": sample[None]}}),
            kind="kde",
            backend="matplotlib",
            plot_collection=drawn,
            visuals=dict.fromkeys(parts, False)
            | {"dist": {"color": colour}, "face": {"color": colour, "alpha": 0.3}},
            **({} if drawn else {"figure_kwargs": {"figsize": size}}),
        )
    figure = drawn.viz["figure"].item()
    pyplot.close(figure)  # it would keep every figure
    return figure, drawn.viz["plot"]["z"].item()
