"""Graphs and objectives as text: densities, formulas, tables, in LaTeX, Unicode and MathML."""
