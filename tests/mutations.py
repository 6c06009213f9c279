"""Random changes of files, for tests of what reads them."""

import os

from hypothesis import strategies as st

DEEP = b"[" * 100_000

PIECES = [b"", b"\x00", b"\xff\xfe", b"null", b"true", b"-1", b"1e999", b'"x"', b"{}", b"[", DEEP]
PIECES += [b"9" * 5000, b"NaN", b'{"a":' * 2000, b"\n", b"0.5"]

MUTATIONS = st.tuples(
    st.sampled_from(["flip", "cut", "insert", "replace", "swap"]),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 0.1),
    st.sampled_from(PIECES),
    st.integers(1, 255),
)


def mutated(content, mutation):
    """A file's bytes with one change."""
    kind, where, length, piece, value = mutation
    start = int(where * len(content))
    end = min(len(content), start + 1 + int(length * len(content)))
    match kind:
        case "flip":
            return content[:start] + bytes([content[start] ^ value]) + content[start + 1 :]
        case "cut":
            return content[:start]
        case "insert":
            return content[:start] + piece + content[start:]
        case "replace":
            return content[:start] + piece + content[end:]
    return content[:start] + content[start:end][::-1] + content[end:]


def put(path, content):
    """A new file in the place of another, of which somebody may hold a map."""
    beside = path.with_name("beside")
    beside.write_bytes(content)
    os.replace(beside, path)
