"""Real signals in commands at work; ``python -m ccvae.benchmarks.kills`` sends twenty into each."""

import pytest

from ccvae.benchmarks.kills import tried


@pytest.mark.parametrize("name", ["train", "cache"])
def test_killed_commands_lose_nothing_and_go_on(tmp_path, name):
    found = tried(name, 2, tmp_path, seed=1)
    assert found.kills == 2
    assert found.good, found
