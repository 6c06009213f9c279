"""Pairs as Pyro's examples have them pass the check; what is near them and wrong does not."""

import pyro
import pyro.distributions as dist
import torch
from pyro.contrib.mue.missingdatahmm import MissingDataDiscreteHMM

from ccvae.inspection import inspect_pair

DOCUMENTS, WORDS, TOPICS = 4, 5, 3


def topics(words):
    """All documents, or those that the guide draws: the plate's rows choose the data."""
    with pyro.plate("topics", TOPICS):
        topic = pyro.sample("topic", dist.Dirichlet(torch.ones(8)))
    with pyro.plate("documents", DOCUMENTS) as rows:
        share = pyro.sample("share", dist.Dirichlet(torch.ones(TOPICS)))
        with pyro.plate("words", WORDS):
            pyro.sample("word", dist.Categorical(share @ topic), obs=words[:, rows])


def topics_of_given_rows(words, rows):
    """The rows are given, and the data are those of the rows already."""
    with pyro.plate("documents", 10 * DOCUMENTS, subsample=rows):
        share = pyro.sample("share", dist.Beta(1.0, 1.0))
        pyro.sample("word", dist.Bernoulli(share), obs=words)


def some_documents(words):
    with pyro.plate("topics", TOPICS):
        pyro.sample("topic", dist.Dirichlet(torch.ones(8)))
    with pyro.plate("documents", DOCUMENTS, 2) as rows:
        counts = words[:, rows].float().mean(0).unsqueeze(-1)
        pyro.sample("share", dist.Dirichlet(1.0 + counts * torch.ones(TOPICS)))


def own_documents(words, rows):
    with pyro.plate("documents", 10 * DOCUMENTS, len(words)):
        pyro.sample("share", dist.Beta(1.0, 1.0))


def test_a_model_of_all_rows_takes_those_of_its_guide():
    words = torch.randint(0, 8, (WORDS, DOCUMENTS), generator=torch.Generator().manual_seed(0))
    assert inspect_pair(topics, some_documents, words).problems == ()


def test_a_model_of_given_rows_does_not():
    (said,) = inspect_pair(
        topics_of_given_rows, own_documents, torch.ones(3), torch.tensor([5, 7, 9])
    ).problems
    assert "the guide draws its own rows of the plate 'documents'" in said


def rates():
    with pyro.plate("shops", 5):
        rate = pyro.sample("rate", dist.Gamma(1.0, 1.0))
        pyro.sample("sales", dist.Poisson(rate), obs=torch.ones(5))


def each_shop(entries):
    def guide():
        with pyro.plate("shops"):
            pyro.sample("rate", dist.Gamma(torch.ones(entries), 1.0))

    return guide


def test_a_plate_without_a_size_has_as_many_rows_as_lie_in_it():
    """Pyro's EasyGuide opens them so; one draw for all rows is still refused."""
    assert inspect_pair(rates, each_shop(5)).problems == ()
    (said,) = inspect_pair(rates, each_shop(1)).problems
    assert "expected a size of the plate 'shops'" in said


def test_series_with_missing_data_have_any_length():
    first, move, see = torch.zeros(2), torch.zeros(2, 2), torch.zeros(2, 3)
    series = torch.nn.functional.one_hot(torch.tensor([[0, 1, 2, 1]] * 2), 3).float()

    def model():
        tilt = pyro.sample("tilt", dist.Normal(0.0, 1.0))
        with pyro.plate("rows", 2):
            chain = MissingDataDiscreteHMM(first + tilt, move, see)
            pyro.sample("seen", chain, obs=series)

    def guide():
        pyro.sample("tilt", dist.Normal(0.0, 1.0))

    assert inspect_pair(model, guide).problems == ()
