"""Commands as their users call them."""

from ccvae.cli import main

QUICK = ["--data", "faces:72", "--network", "mlp", "--epochs", "2", "--batch-size", "30"]


def call(capsys, *arguments):
    """Exit status, standard output and standard error of a command."""
    try:
        status = main([str(a) for a in arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err
