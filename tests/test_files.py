"""Files are whole or as they were, and JSON may be missing."""

import pytest

from ccvae.files import cache_folder, read_json, replacing, write_atomically


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def interrupted(path):
    with replacing(path) as part:
        part.write_text("half")
        raise InterruptedError


def test_a_new_version_is_seen_when_it_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    with pytest.raises(InterruptedError):
        interrupted(path)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named_in_one_line(tmp_path):
    with pytest.raises(OSError, match=r"cannot write .*none/file .*nothing is left of it") as found:
        write_atomically(tmp_path / "none/file", b"new")
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("content", [None, "{", "[1]", "\xff"])
def test_json_that_is_missing_damaged_or_no_object_is_none(tmp_path, content):
    path = tmp_path / "facts.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    assert read_json(path) is None
    path.write_text('{"a": 1}')
    assert read_json(path) == {"a": 1}


def test_the_cache_is_where_its_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("CCVAE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
