"""Which lines of a program state which node, for programs of anybody's."""

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro import sample

from ccvae.inspection import inspect_pair
from ccvae.inspection.graphs.source import node_of, read_source


def model(x):
    total = torch.zeros(())
    for i in range(2):
        part = sample(f"part_{i}", dist.Normal(0.0, 1.0))
        total = total + part
    pyro.sample("part", dist.Normal(total, 1.0))
    with pyro.plate("rows", len(x)):
        sample(
            "x",
            dist.Normal(total, 1.0),
            obs=x,
        )


def guide(x):
    for i in range(2):
        pyro.sample(f"part_{i}", dist.Normal(x.mean(), 1.0))
    pyro.sample("part", dist.Normal(x.mean(), 1.0))


@pytest.fixture
def found():
    return inspect_pair(model, guide, torch.randn(3))


def test_lines_of_a_function(found):
    source = read_source(model, found.model, found.graph)
    assert source.path == "inspection/test_source.py"
    assert source.lines[0] == "def model(x):"
    stated = {source.lines[n - source.start].strip(): nodes for n, nodes in source.nodes.items()}
    assert stated['part = sample(f"part_{i}", dist.Normal(0.0, 1.0))'] == ("part_0", "part_1")
    assert stated['pyro.sample("part", dist.Normal(total, 1.0))'] == ("part",)
    assert [text for text, nodes in stated.items() if nodes == ("x",)] == [
        "sample(",
        '"x",',
        "dist.Normal(total, 1.0),",
        "obs=x,",
        ")",
    ]


def test_handlers_around_a_program_are_looked_through(found):
    plain = read_source(guide, found.guide, found.graph)
    assert read_source(pyro.poutine.block(guide), found.guide, found.graph) == plain


def test_the_longest_name_wins(found):
    assert node_of("part_0", found.graph) == "part_0"
    assert node_of("part_7", found.graph) == "part"
    assert node_of("whole", found.graph) is None


def test_a_program_without_source_is_refused(found):
    with pytest.raises(ValueError, match="no source of"):
        read_source(eval("lambda x: None"), found.model, found.graph)
