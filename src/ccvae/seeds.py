"""Seeds made of whole numbers."""

from __future__ import annotations

from hashlib import blake2b


def seed_of(*key: int) -> int:
    """A seed of 63 bits from whole numbers, well spread whatever they are.

    >>> seed_of(0, 1) == seed_of(0, 1) != seed_of(1, 0)
    True
    """
    digest = blake2b(",".join(map(str, key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
