"""The graph that the records of a model and a guide state together, and its loops as templates."""
