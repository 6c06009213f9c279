"""What a GPU is asked, asked of the CPU beside itself; and that what differs is found."""

import json

import pytest
import torch
from torch import nn

from ccvae.benchmarks import cuda, parity, ways
from ccvae.data.spec import load

CPU = torch.device("cpu")


@pytest.fixture
def few(monkeypatch):
    """One cell of each program, and no training."""
    cells = [("ccvae", "ccvae", "logit", "mixed"), ("m2", "m2", "probit", "unlabelled")]
    cells += [("diva", "diva", "probit", "mixed"), ("vae", "vae", "probit", "labelled")]
    monkeypatch.setattr(parity, "cells", lambda: cells)
    quick = ("parity", "reads", "resumed")
    monkeypatch.setattr(cuda, "PARTS", {name: cuda.PARTS[name] for name in quick} | {"steps": some})


def some(device, scale):
    return [ways.timed("m2", way, device, ways.Scale(12, 1)) for way in ("eager", "CUDA graph")]


def test_every_program_objective_link_and_pattern_is_a_cell():
    found = list(parity.cells())
    assert len(found) == len(set(found)) == 48
    assert {pattern for *_, pattern in found} == {"labelled", "unlabelled", "mixed"}


def test_the_cpu_is_itself(few, tmp_path, capsys):
    status = cuda.main(["--device", "cpu", "--json", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    printed = capsys.readouterr()
    assert status == 1  # no CUDA graph on a CPU
    assert "m2, CUDA graph: a CUDA graph needs a CUDA device" in printed.err
    assert len(found["parity"]["found"]) == 8
    assert all(row["values"] == row["gradient"] == 0 for row in found["parity"]["found"])
    assert found["resumed"]["found"]["to the CPU"]["epoch"] == 1
    assert found["steps"]["found"][0]["images_per_second"] > 0
    assert "| m2 | eager |" in printed.out


class Wrong(nn.Module):
    """A decoder whose numbers are a little larger on one of two devices."""

    def __init__(self, decoder):
        super().__init__()
        self.decoder, self.calls = decoder, 0

    def forward(self, z):
        self.calls += 1
        return self.decoder(z) + 1e-5 * (self.calls > 1)


@pytest.mark.parametrize(("dtype", "holds"), [(torch.float64, False), (torch.float32, True)])
def test_a_difference_is_found_where_it_is_larger_than_the_tolerance(monkeypatch, dtype, holds):
    build = parity.build_pair

    def wrong(*args):
        model, guide = build(*args)
        model.decoder = Wrong(model.decoder)
        return model, guide

    monkeypatch.setattr(parity, "cells", lambda: [("vae", "vae", "probit", "labelled")])
    monkeypatch.setattr(parity, "build_pair", wrong)
    (found,) = parity.compare(load("faces:24"), 12, CPU, dtype)
    assert 1e-9 < found.values < 1e-4
    assert found.holds is holds


def test_the_host_draws_the_noise_of_any_device():
    with parity.HostNoise():
        torch.manual_seed(3)
        meta = torch.empty(4, device="meta").normal_()
        host = torch.empty(4).normal_()
    torch.manual_seed(3)
    torch.empty(4).normal_()
    assert meta.device.type == "meta"
    assert torch.equal(host, torch.empty(4).normal_())


def test_a_part_that_fails_leaves_the_others(monkeypatch):
    def fails(device, scale):
        raise RuntimeError("out of memory\nand more")

    parts = {"parity": fails, "resumed": lambda *_: {}, "steps": lambda *_: []}
    monkeypatch.setattr(cuda, "PARTS", parts)
    found = cuda.measure(CPU, ways.SMALL)
    assert found["parity"]["failed"] == "out of memory"
    assert cuda.failures(found) == ["parity: out of memory"]
    assert "out of memory" in cuda.to_markdown(found)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_one_line_says_so(capsys):
    assert cuda.main([]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert "expected a CUDA device and found none" in captured.err
