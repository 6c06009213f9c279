"""The page under many requests at once; the figures are printed by ``ccvae.benchmarks.page``."""

import sys

from ccvae.benchmarks.page import load
from ccvae.benchmarks.people import RIGHT, WRONG, Asked, ask, at_once


def test_many_requests_at_once_fail_none_and_leave_nothing_behind():
    found = load(good=40, bad=20, rounds=2, alone=16, spans=[0.5])
    assert found.failures == 0
    if sys.platform == "linux":
        assert found.growth < 20 * 2**20


def test_what_is_asked_is_right_or_wrong_as_it_says(address):
    assert {ask(address, asked).status for asked in RIGHT} == {200}
    statuses = [ask(address, asked).status for asked in WRONG]
    assert all(400 <= status < 500 for status in statuses), statuses


def test_an_answer_that_never_comes_counts_as_a_failure():
    answers, _ = at_once("http://127.0.0.1:9/", [Asked("GET", "/")])
    assert answers[0].status == 0
