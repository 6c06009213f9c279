"""Answers that are given again: the same to the letter, while they hold, and not without end."""

import pytest

from ccvae.web import remembered
from ccvae.web.remembered import Remembered
from ccvae.web.server import build_app

from .asking import Client


class Counting:
    """An application that says how often it was asked."""

    def __init__(self, status=200, size=10):
        self.asked, self.status, self.size = 0, status, size

    async def __call__(self, scope, receive, send):
        self.asked += 1
        headers = [(b"x-first", b"yes")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = str(self.asked).encode().ljust(self.size)
        await send({"type": "http.response.body", "body": body})


def counted(version=lambda: 0, **options):
    inner = Counting(**options)
    return inner, Client(Remembered(inner, version))


@pytest.mark.parametrize("path", ["/programs?program=diva", "/objectives", "/api/ask?blanket=z_c"])
def test_an_answer_given_again_is_the_same_to_the_letter(run, path):
    page = Client(build_app(run))
    first, second, third = (page.get(path) for _ in range(3))
    assert first.text == second.text == third.text
    assert first.headers == second.headers == third.headers
    assert first.headers["cache-control"] == "no-cache"


def test_what_was_asked_once_is_not_worked_out_again():
    inner, client = counted()
    assert {client.get("/programs?program=m2").text for _ in range(3)} == {"1".ljust(10)}
    assert client.get("/programs?program=vae").text == "2".ljust(10)
    assert inner.asked == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/programs", 200), ("GET", "/api/train/x", 200), ("GET", "/programs", 400)],
)
def test_what_may_change_or_has_failed_is_asked_anew(method, path, status):
    inner, client = counted(status=status)
    for _ in range(2):
        assert client.request(method, path).status_code == status
    assert inner.asked == 2


def test_a_saved_file_makes_it_forget():
    versions = iter([1, 1, 2])
    _, client = counted(lambda: next(versions))
    assert [client.get("/programs").text.strip() for _ in range(3)] == ["1", "1", "2"]


def test_it_keeps_no_more_than_it_may(monkeypatch):
    monkeypatch.setattr(remembered, "MOST", 5000)
    inner, client = counted(size=1000)
    for name in "abcb":  # of three the first goes
        client.get(f"/programs?program={name}")
    assert inner.asked == 3
    client.get("/programs?program=a")
    assert inner.asked == 4
