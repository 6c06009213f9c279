"""``ccvae app`` as a command, and the run that comes with it."""

import http.client
import json
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
import torch
from safetensors.torch import load_file

from ccvae.cli import main
from ccvae.inference.evaluation.prediction import encode, reconstruct
from ccvae.inference.runs.evaluation import evaluate_run
from ccvae.inference.runs.fitting import fit
from ccvae.inference.runs.run import CHECKPOINT, load
from ccvae.studies.reading.blocks import find_block
from ccvae.studies.reading.pace import decode_at, travelled
from ccvae.web.examples import EXAMPLES
from ccvae.web.faces import PACED, Room
from ccvae.web.serve import PRETRAINED
from ccvae.web.shrink import shrink

from .conftest import make_run


def failing(capsys, *arguments):
    """The one line of a command that ends with status 2."""
    assert main(["app", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_a_port_that_is_taken(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} cannot be had" in failing(capsys, "--port", port)
    with pytest.raises(SystemExit):
        main(["app", "--port", "70000"])
    assert "argument --port: expected a whole number from 0 to 65535" in capsys.readouterr().err


def test_a_directory_that_is_no_run(capsys, tmp_path):
    assert "is not a run directory" in failing(capsys, tmp_path)


def test_without_the_extra(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "ccvae.web.serve", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert "pip install 'ccvae[app]'" in failing(capsys)


def test_the_run_that_comes_with_it_opens_without_training_or_data(monkeypatch):
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) < 5e6
    run = load(PRETRAINED, torch.device("cpu"))
    monkeypatch.setattr(type(run), "data", None)  # the data set is not at hand
    room = Room(run)
    batch = room._batch(room.images[0])
    error = (reconstruct(run.model, run.guide, batch) - batch.x).abs().mean()
    assert error < 0.08
    found = room.answer({"face": 0, "intervene": {"Eyeglasses": 1}})
    other = room.answer({"face": 0, "intervene": {"Eyeglasses": 0}})
    assert found["posterior"]["Eyeglasses"][1] > 0.9 > 0.1 > other["posterior"]["Eyeglasses"][1]
    assert found["seen"]["Eyeglasses"][1] > other["seen"]["Eyeglasses"][1] + 0.5


def test_a_slider_s_steps_change_the_picture_equally():
    """The mean over the images by which sliders are paced."""
    room = Room(load(PRETRAINED, torch.device("cpu")))
    batch = room._batch(*room.images[:PACED])
    latents, block = encode(room.run.guide, batch), find_block(room.space, "Eyeglasses")
    (prior,) = (prior for prior in room.priors if prior["name"] == "Eyeglasses")
    (pace,) = (torch.tensor(each) for each in prior["pace"])
    assert pace.diff().min() > 0
    assert pace[0] < min(prior["means"])[0] < max(prior["means"])[0] < pace[-1]
    points = pace[None, :, None].expand(PACED, -1, -1)
    steps = travelled(decode_at(room.run.model, batch, latents, block, points)).diff().mean(0)
    assert steps.max() < 1.3 * steps.median()


def test_what_the_page_needs_is_all_that_is_kept(tmp_path):
    shrink(PRETRAINED, tmp_path / "again")
    kept = {path.name: path.read_bytes() for path in PRETRAINED.iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == kept
    tensors = load_file(PRETRAINED / CHECKPOINT)
    whole = {name for name, tensor in tensors.items() if tensor.dtype != torch.half}
    assert whole == {f"guide.encoder.{moment}" for moment in ("mean", "product")}


def test_a_run_with_its_data_at_hand_is_made_small(tmp_path):
    run = make_run(tmp_path / "run", epochs=1)
    for _ in fit(run, run.data()[0], resume=False):
        pass
    evaluate_run(run)
    shrink(tmp_path / "run", tmp_path / "small")
    kept = load_file(tmp_path / "small" / EXAMPLES)
    assert kept["images"].dtype == torch.uint8
    assert len(kept["images"]) == len(kept["labels"]) > 0
    Room(load(tmp_path / "small", torch.device("cpu")))


@contextmanager
def asked(url, path, method="GET", body=None):
    """An answer whose body is still to be read; leaving closes the connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    with closing(connection):
        connection.request(method, path, body)
        with closing(connection.getresponse()) as response:
            yield response


def begun(url):
    """A training that runs, by its address."""
    start = json.dumps({"a": {"program": "m2"}, "b": {"program": "m2", "objective": "m2-score"}})
    with asked(url, "/api/train", "POST", start) as response:
        assert response.status == 200, response.read()
        path = f"/api/train/{json.loads(response.read())['id']}"
    with asked(url, path, "POST", '{"do": "go"}') as response:
        assert response.status == 200
    return path


def test_three_trainings_at_once(address):
    paths = [begun(address) for _ in range(3)]
    with asked(address, "/api/train", "POST", "{}") as fourth:
        assert fourth.status == 429
        assert "pause one" in json.loads(fourth.read())["error"]
    # Sliders are answered between the steps of the trainings.
    state = json.dumps({"blocks": {"Young": [1.0]}})
    with asked(address, "/api/faces", "POST", state) as moved:
        assert json.loads(moved.read())["blocks"]["Young"] == [1.0]
    with asked(address, paths[0], "POST", '{"do": "pause"}') as response:
        assert json.loads(response.read())["status"] == "paused"
    paths.append(begun(address))  # the one that rests makes room, and can still be looked at
    with asked(address, paths[0]) as response:
        found = json.loads(response.read())
        assert "made room" in found["trouble"]
        assert found["frames"][0]["step"] == 0
    for path in paths[1:]:
        with asked(address, path, "POST", '{"do": "pause"}') as response:
            assert response.status == 200


def test_bytes_that_are_no_request_leave_it_running(address):
    host, port = urlsplit(address).hostname, urlsplit(address).port
    for rubbish in (b"\x16\x03\x01\x02", b"GET / HTTP/9.9\r\n\r\n", b"A" * 70_000, b"\r\n\r\n"):
        with socket.create_connection((host, port)) as connection:
            connection.sendall(rubbish)
    with asked(address, "/programs") as response:
        assert response.status == 200


def test_only_this_machines_own_address_is_listened_on(address):
    assert urlsplit(address).hostname == "127.0.0.1"
    with pytest.raises(OSError):  # noqa: PT011 - refused or unreachable, as the system has it
        socket.create_connection(("127.0.0.2", urlsplit(address).port), timeout=2)


def test_ctrl_c_ends_it_in_one_line_while_a_training_runs():
    command = [sys.executable, "-m", "ccvae", "app", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        address = process.stdout.readline().split()[0]
        begun(address)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == "ccvae app: ended\n"
