"""Labels of all four kinds are one variable to a reader: one node, one plate, one formula."""

import math

import pytest
import torch

from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace, Ordinal, Real
from ccvae.inference.catalogue import build_objective, build_pair
from ccvae.inspection import inspect_pair

SPACE = LabelSpace(
    [Real("age"), Binary("a"), Ordinal("stage", tuple("pqr")), Categorical("hair", tuple("xyz"))]
)
NAN = math.nan
LABELS = [[0.3, 1, 2, 0], [NAN] * 4, [NAN, 0, NAN, 1], [-1.0, NAN, 1, 2]]


def inspected(space, labels, objective):
    config = Config(program="ccvae", objective=objective, style=2, network="mlp")
    pair = build_pair(config, space, (1, 8, 8))
    rows = {"index": torch.arange(len(labels)), "size": 40}
    x = torch.rand(len(labels), 1, 8, 8)
    objective = build_objective(config)
    return inspect_pair(*pair, x, torch.tensor(labels), objective=objective, name="x", **rows)


@pytest.mark.parametrize("objective", ["ccvae", "our-adapted-diva", "marginal"])
def test_all_kinds_are_drawn_and_printed_as_one(objective):
    found = inspected(SPACE, LABELS, objective)
    assert set(found.graph.nodes) == {"y", "z_c", "z_style", "x"}
    assert set(found.graph.plates) == {"data", "labels"}
    assert found.graph.plates["labels"].sizes == (1, 1, 1, 1)
    text = found.to_text()
    assert "[p(y^i) p(z_c^i|y^i)]" in text
    assert "enumerated where missing  ThreeNodes" in text or objective == "marginal"
    (line,) = (line for line in text.splitlines() if "Linear" in line)
    assert "latent" in line
    assert "D=1" in line


@pytest.mark.parametrize("objective", ["ccvae", "marginal"])
def test_a_number_alone_is_a_label_too(objective):
    graph = inspected(LabelSpace([Real("age")]), [[0.3], [NAN]], objective).graph
    kinds = {(e.parent, e.child): graph.kind(e) for e in graph.edges if e.side == "p"}
    (number,) = (name for name in graph.nodes if name.startswith("y"))
    (block,) = (name for name in graph.nodes if name.startswith("z_c"))
    assert kinds[number, block] == "conditional prior"
    assert graph.nodes[number].role == "partly observed"
