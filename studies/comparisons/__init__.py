"""The committed comparisons: several programs or objectives trained alike, and their tables."""
