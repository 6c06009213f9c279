"""Questions to a graph: independence, Markov blankets, interventions, the inverse of a model."""
