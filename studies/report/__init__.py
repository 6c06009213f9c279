"""Conducting studies on a run, and the report and pages that show what they found."""
