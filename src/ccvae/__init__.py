"""Semi-supervised VAEs as Pyro programs, with objectives that one swaps with a word."""

__version__ = "0.1.0"
