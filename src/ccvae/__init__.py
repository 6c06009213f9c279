"""Semi-supervised VAEs as Pyro programs, with objectives that one swaps with a word.

What one plays with lies on top, and shows itself in a notebook::

    ccvae.inspect("diva")                        # figure, densities, table of sites
    ccvae.inspect(model, guide, *args)           # the same of anybody's pair
    data = ccvae.dataset("faces:1200")           # its contact sheet and labels
    run = ccvae.train("ccvae", data, objective="marginal", epochs=5)
    run = ccvae.fit(model, guide, data)          # anybody's pair, in place
    run.history                                  # a data frame, a line an epoch
    run.report()
    ccvae.compare(data="faces:1200", programs=["m2", "ccvae"])

Nothing is imported before it is asked for.
"""

from importlib import import_module

__version__ = "0.1.0"

FACE = {
    "AdaptedDIVAObjective": "inference",
    "CCVAEAuthorsObjective": "inference",
    "CCVAEObjective": "inference",
    "Config": "config",
    "DIVAObjective": "inference",
    "ImportanceWeightedObjective": "inference",
    "M2Objective": "inference",
    "M2ScoreObjective": "inference",
    "MarginalObjective": "inference",
    "Objective": "inference",
    "OurAdaptedDIVAObjective": "inference",
    "VAEObjective": "inference",
    "check_pair": "inference",
    "compare": "studies.comparing",
    "dataset": "flat",
    "fit": "flat",
    "inspect": "flat",
    "load": "flat",
    "render": "inspection",
    "train": "flat",
}
"""What lies on top, and the module that it comes from."""

__all__ = ["__version__", *FACE]


def __getattr__(name: str) -> object:
    if name not in FACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f".{FACE[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *FACE})
