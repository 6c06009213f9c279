"""What an entry says of a program is what its pair is."""

import pytest
import torch

from ccvae.config import Config
from ccvae.data.faces import FACES, faces
from ccvae.guides import Classifier, Partitioned
from ccvae.inference.catalogue import ENTRIES, Signature, build_pair, objective_class
from ccvae.models import ClassBlocks

programs = pytest.mark.parametrize("program", ENTRIES)


@programs
def test_a_programs_own_objective_has_its_name(program):
    assert next(iter(ENTRIES[program].objectives)) == program
    config = Config(program=program)
    assert config.objective == ""
    assert objective_class(config) is ENTRIES[program].objectives[program]


@programs
def test_an_entry_describes_its_pair(program):
    entry = ENTRIES[program]
    config = Config(program=program, network="mlp", style=9)
    model, guide = build_pair(config, FACES, (3, 4, 4), domains=4)
    assert isinstance(guide, Classifier) == entry.classifies
    assert isinstance(guide, Partitioned) == entry.has_blocks
    assert isinstance(model, ClassBlocks) == entry.has_blocks


def test_blocks_are_those_that_the_model_draws_from():
    model, _ = build_pair(Config(network="mlp", style=2), FACES, (3, 4, 4))
    y = torch.tensor([[0.0] * len(FACES), [1.0] * len(FACES)])
    for kind, prior, (loc, scale) in zip(
        FACES.kinds, model.prior, model.blocks_given(y), strict=True
    ):
        assert loc.shape == scale.shape == (2, len(kind), kind.block)
        p_z = prior(kind.of(y)).base_dist
        assert torch.equal(p_z.loc.expand_as(loc), loc)
        assert torch.equal(p_z.scale.expand_as(scale), scale)


def test_a_signature_is_of_a_data_set(tmp_path):
    assert Signature.of(faces(12, cache=tmp_path)) == Signature(FACES, (3, 64, 64), 4)
