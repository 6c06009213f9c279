"""Measurements that the claims of the README and the documentation rest on.

Each module is a command that prints a table: ``python -m ccvae.benchmarks.step`` what the training
steps of all programs and objectives cost beside their bare networks, ``python -m
ccvae.benchmarks.evidence`` how exact log q(y|x) is, ``python -m ccvae.benchmarks.data`` how fast
images are read, ``python -m ccvae.benchmarks.alpha`` how much weight the classifier needs,
``python -m ccvae.benchmarks.page`` what many requests do to the page, and what showing a training
costs.
"""
