"""Measurements that the claims of the README and the documentation rest on.

Each module is a command that prints a table: ``python -m ccvae.benchmarks.step`` what a training
step costs beside its bare networks, ``python -m ccvae.benchmarks.m2`` what an unlabelled step of
M2 costs beside its networks by hand, ``python -m ccvae.benchmarks.evidence`` how exact log q(y|x)
is.
"""
