"""How graphs, inspections and answers show themselves in a notebook."""
