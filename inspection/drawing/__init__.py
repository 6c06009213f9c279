"""Plate diagrams: where everything stands, and the same drawing as a figure, SVG and TikZ."""
