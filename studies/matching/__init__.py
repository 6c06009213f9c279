"""Feature matching: the study, its scores and pictures, and the matchers."""
