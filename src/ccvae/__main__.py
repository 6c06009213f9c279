"""``python -m ccvae``, and where the command starts: interrupted at once it ends in one line."""

import sys


def main() -> int:
    """Run the command; returns its exit status."""
    try:
        from .cli import main as run
    except KeyboardInterrupt:  # before there is anything that could say more
        print("ccvae: interrupted", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
