"""The page as a folder: all that its scripts ask for is there, and answers as the server does."""

import itertools
import json
import re

import pytest
import torch

from ccvae.cli import main
from ccvae.web import export as exporting
from ccvae.web.export import MARK, record
from ccvae.web.frame import ROOMS
from ccvae.web.offer import suites
from ccvae.web.steering import Start, checked


def test_every_address_is_a_file_of_the_folder(exported):
    for room in ("index", *ROOMS):
        text = (exported / f"{room}.html").read_text()
        for address in re.findall(r'(?:href|src|action)="([^"#?]+)', text):
            if not address.startswith("data:"):
                assert (exported / address).is_file(), address
        assert "data-static" in text
        assert "https://" not in text


def test_questions_are_answered_as_the_server_does(exported, page):
    recorded = json.loads((exported / "data/graph-diva-diva-some.json").read_text())
    assert len(recorded) == 6 + 15 * 2**4 + 15 * 4 * (1 + 3)
    first, second = "z_d", "z_y"
    for given in ("", "x", "d,x"):
        query = {"program": "diva", "first": first, "second": second, "given": given}
        assert recorded[f"{first}|{second}|{given}"] == page.get("/api/ask", params=query).json()
    query = {"program": "diva", "first": first, "second": second, "given": "x", "do": "y"}
    assert recorded[f"{first}|{second}|x|do(y)"] == page.get("/api/ask", params=query).json()
    blanket = page.get("/api/ask", params={"program": "diva", "blanket": "z_y"}).json()
    assert recorded["|z_y|"] == blanket


def test_views_are_the_servers(exported, page):
    query = {"program": "m2", "objective": "m2-score", "labels": "some"}
    view = (exported / "data/view-m2-m2-score-some.html").read_text()
    assert view == page.get("/programs/view", params=query).text
    assert "arrow missing" in (exported / "data/view-diva-diva-some-lacks.html").read_text()


def test_a_training_is_recorded_as_it_would_be_seen(exported):
    kept = json.loads((exported / "data/train-1.json").read_text())
    assert [step["step"] for step in kept["steps"]] == list(range(1, 11))
    assert [frame["step"] for frame in kept["frames"]] == [0, 10]
    assert set(kept["headings"]) >= set(kept["steps"][0]["sides"][0])


def test_the_same_training_twice_is_the_same_record(monkeypatch):
    monkeypatch.setattr(exporting, "STEPS", 2)
    first, second = (record(checked(Start(), suites()), suites()) for _ in range(2))
    assert first == second


def test_sliders_and_interventions_are_recorded(exported, page):
    kept = json.loads((exported / "data/face-0.json").read_text())
    dimensions, classes = (
        {"Smiling": 1, "Hair": 4, "Young": 1},
        {"Smiling": 2, "Hair": 5, "Young": 2},
    )
    wanted = {
        f"{n}:{d}:{at}" for n, k in dimensions.items() for d in range(k) for at in (0, 20, 40)
    }
    wanted |= {f"{name}={code}" for name, k in classes.items() for code in range(k)}
    assert set(kept) == wanted | {""}
    whole = page.post("/api/faces", json={"face": 0, "intervene": {"Hair": 3}}).json()
    assert kept["Hair=3"]["images"]["changed"].startswith("data:image/webp")
    assert set(kept["Hair=3"]["images"]) == {"changed", "map"}
    assert kept["Hair=3"]["posterior"]["Hair"] == pytest.approx(
        whole["posterior"]["Hair"], abs=1e-4
    )


def test_a_strangers_folder_is_left_alone(exported, tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("mine")
    assert main(["app", "--export", str(tmp_path)]) == 2
    assert "holds something that was not exported here" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert main(["app", "--export", str(tmp_path / "thesis.tex")]) == 2
    assert "is a file" in capsys.readouterr().err
    exporting.check_target(exported)
    assert (exported / MARK).is_file()


def test_a_graph_of_many_variables_has_its_simplest_answers(monkeypatch):
    import pyro
    import pyro.distributions as dist

    from ccvae.inspection import inspect_pair
    from ccvae.web.export import _answers
    from ccvae.web.programs import shown

    def model():
        for name in "abcdefghijkl":
            pyro.sample(name, dist.Normal(torch.zeros(()), 1.0))

    monkeypatch.setattr(exporting, "QUESTIONS", 100)
    monkeypatch.setattr(exporting, "SET_FROM_OUTSIDE", 7)
    found = dict(_answers(shown(inspect_pair(model, None), "own", "", "all")))
    assert len(found) == 12 + 100 + 7
    pairs = itertools.combinations("abcdefghijkl", 2)
    assert all(f"{one}|{other}|" in found for one, other in pairs)
