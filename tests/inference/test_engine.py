"""A training that can be left at any moment, shared between processes, and told what went wrong."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ccvae.config import Config
from ccvae.data.spec import load as load_data
from ccvae.inference import CCVAEObjective
from ccvae.inference.catalogue import build_pair
from ccvae.inference.runs.fitting import fit
from ccvae.inference.runs.logbook import METRICS, STEPS, keep_lines, read_lines, summed
from ccvae.inference.runs.run import CHECKPOINT, NOT_FINITE, create, training_rows
from ccvae.inference.runs.run import load as load_run
from ccvae.inference.training.checkpoint import load_checkpoint
from ccvae.inference.training.diagnosis import NotFiniteStepError
from ccvae.inference.training.engine import Alone, engine
from ccvae.inference.training.loop import Training
from ccvae.inference.training.optimisation import adam
from ccvae.stopping import Request, Stopped, stop_requests

CPU = torch.device("cpu")
QUICK = Config(data="faces:72", style=3, epochs=3, batch_size=20)
STEPS_AN_EPOCH = 3  # 60 rows to train on


@pytest.fixture(scope="module")
def dataset():
    return load_data(QUICK.data)


def start(directory, dataset, **options):
    config = Config(**{**vars(QUICK), **options})
    return create(config, dataset, directory, CPU)


def finish(run, dataset, *, resume=False, **options):
    for _ in fit(run, training_rows(run.config, dataset), resume=resume, **options):
        pass
    return load_file(run.directory / CHECKPOINT)


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, dataset):
    """Weights and optimiser's state of a training that nothing interrupted."""
    return finish(start(tmp_path_factory.mktemp("whole"), dataset), dataset)


def test_a_loaded_run_evaluates(tmp_path, dataset):
    """Batch normalisation would learn from whatever it is asked about."""
    finish(start(tmp_path, dataset, epochs=1), dataset)
    assert not any(module.training for module in load_run(tmp_path, CPU).modules.values())


class After(Request):
    """A request to stop that comes after so many steps."""

    def __init__(self, steps):
        self.left = steps

    def count(self, _):
        self.left -= 1
        self.signal = signal.SIGTERM if self.left <= 0 else 0


def test_a_training_stopped_after_every_single_step_ends_with_the_same_bits(
    tmp_path, dataset, whole
):
    run = start(tmp_path, dataset)
    stops = []
    for resume in [False] + [True] * 20:
        stop = After(1)
        try:
            weights = finish(run, dataset, resume=resume, stop=stop, watch=stop.count)
            break
        except Stopped as stopped:
            stops.append((stopped.epoch, stopped.done))
            run = load_run(tmp_path, CPU)
    assert len(stops) == QUICK.epochs * STEPS_AN_EPOCH - 1
    assert stops[:3] == [(0, 1), (0, 2), (0, 3)]
    assert same(weights, whole)
    lines = read_lines(tmp_path / METRICS)
    assert [line["epoch"] for line in lines] == [0, 1, 2]
    assert [line["step"] for line in read_lines(tmp_path / STEPS)] == [3, 6, 9]


def test_the_metrics_of_an_epoch_do_not_depend_on_stops(tmp_path, dataset):
    plain, stopped = start(tmp_path / "a", dataset), start(tmp_path / "b", dataset)
    finish(plain, dataset)
    stop = After(2)
    with pytest.raises(Stopped, match="stopped after step 2 of epoch 1"):
        finish(stopped, dataset, stop=stop, watch=stop.count)
    finish(load_run(tmp_path / "b", CPU), dataset, resume=True)
    for a, b in zip(*(read_lines(tmp_path / n / METRICS) for n in "ab"), strict=True):
        assert a == pytest.approx(b, rel=1e-6)


def run_python(*arguments, **options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def ended(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_training_killed_at_twenty_moments_ends_with_the_same_bits(tmp_path, dataset):
    config = Config(**{**vars(QUICK), "epochs": 30})
    script = Path(__file__).with_name("killed.py")
    status, out, err = ended(run_python(script, tmp_path / "killed", json.dumps(config.to_json())))
    assert (status, out.strip()) == (0, "20"), err
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    run = start(tmp_path / "whole", dataset, epochs=30)
    weights = finish(run, dataset)
    torch.set_num_threads(threads)
    assert same(load_file(tmp_path / "killed" / CHECKPOINT), weights)


def test_a_signal_finishes_the_step_and_a_second_one_does_not_wait(tmp_path, dataset):
    before = signal.getsignal(signal.SIGTERM)
    run = start(tmp_path, dataset)

    def ask(_):
        os.kill(os.getpid(), signal.SIGTERM)

    with stop_requests() as request, pytest.raises(Stopped) as stopped:
        finish(run, dataset, stop=request, watch=ask)
    assert (stopped.value.signal, stopped.value.done) == (signal.SIGTERM, 1)
    assert signal.getsignal(signal.SIGTERM) is before
    facts = load_checkpoint(tmp_path / CHECKPOINT, run.modules)
    assert (facts["epoch"], facts["done"]) == (0, 1)
    # It is ignored where the tests run in the background of a shell.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with stop_requests() as request:
        os.kill(os.getpid(), signal.SIGINT)
        assert request.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


ARGUMENTS = ["-m", "ccvae", "train", "--data", "faces:480", "--style", "3", "--device", "cpu"]
ARGUMENTS += ["--batch-size", "20"]  # 20 steps an epoch


def test_interrupting_the_command_says_how_to_resume(tmp_path):
    process = run_python(*ARGUMENTS, "--epochs", "1000", "--out", tmp_path)
    while not (tmp_path / CHECKPOINT).exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    status, out, err = ended(process)
    assert (status, out) == (143, "")
    last = err.strip().splitlines()[-1]
    assert "stopped after step" in last
    assert last.endswith("--resume")
    assert f"--out {tmp_path}" in last


@pytest.fixture(scope="module")
def twenty_steps(tmp_path_factory):
    """The same 20 steps by one process and by two with half of each batch."""
    folder = tmp_path_factory.mktemp("shared")
    for devices in (1, 2):
        process = run_python(
            *ARGUMENTS,
            "--no-taught-apart",  # where roundings grow faster with the steps
            "--epochs",
            1,
            "--devices",
            devices,
            "--out",
            folder / str(devices),
            "--json",
        )
        status, out, err = ended(process)
        assert status == 0, err
        assert json.loads(out)["epoch"] == 0  # one document, whatever the number of processes
    return folder


def test_two_processes_make_the_steps_of_one(twenty_steps):
    one, two = (load_file(twenty_steps / n / CHECKPOINT) for n in "12")
    assert one["optimizer.0.step"].item() == 20
    names = [name for name in one if not name.startswith("optimizer")]
    apart = torch.cat([(two[name] - one[name]).abs().flatten() for name in names])
    # Adam makes a part of a step of 1e-3 of how a gradient that is almost 0 was rounded.
    assert apart.max() < 1e-3
    assert (apart > 1e-5).float().mean() < 1e-2
    for name in (METRICS, STEPS):
        (first, *_), (second, *_) = (read_lines(twenty_steps / n / name) for n in "12")
        first.pop("rows_per_second", None), second.pop("rows_per_second", None)
        # The norm is of the gradient after these steps, and as far off as the weights are.
        norms = [line.pop("grad_norm", 0.0) for line in (first, second)]
        assert norms[0] == pytest.approx(norms[1], rel=1e-3)
        assert first == pytest.approx(second, rel=1e-4)


def test_a_lost_process_leaves_a_run_that_resumes(tmp_path):
    process = run_python(*ARGUMENTS, "--epochs", "1000", "--devices", "2", "--out", tmp_path)
    while not (tmp_path / CHECKPOINT).exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [c for c in children if b"train" in Path(f"/proc/{c}/cmdline").read_bytes()]
    os.kill(int(workers[0]), signal.SIGKILL)
    status, _, err = ended(process)
    assert status != 0, err
    epochs = load_checkpoint(tmp_path / CHECKPOINT, {})["epoch"]
    status, _, err = ended(
        run_python(*ARGUMENTS, "--epochs", epochs + 1, "--resume", "--out", tmp_path)
    )
    assert status == 0, err


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, dataset, monkeypatch):
    run = start(tmp_path, dataset)
    stop = After(4)
    with pytest.raises(Stopped):
        finish(run, dataset, stop=stop, watch=stop.count)
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot write .*No space left.* is whole; make room"):
        finish(load_run(tmp_path, CPU), dataset, resume=True)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert not list(tmp_path.glob(".*"))


class Poisoned(CCVAEObjective):
    """CC-VAE, with a term that is infinite, or a gradient that is NaN, at one of its calls."""

    def __init__(self, at, what):
        super().__init__()
        self.at, self.what, self.calls = at, what, 0

    def formula(self, draw):
        terms = super().formula(draw)
        self.calls += 1
        if self.calls >= self.at:
            name, term = next(iter(terms.items()))
            # The square root's gradient at 0 is infinite, and 0 times that is NaN.
            wrong = math.inf if self.what == "term" else 0.0 * (term - term).sqrt()
            terms[name] = term + wrong
        return terms


@pytest.mark.parametrize(
    ("what", "words"),
    [("term", r"log p\(x\|z\)"), ("gradient", r"the gradient of 'model.*")],
)
def test_a_step_that_is_not_finite_is_named_and_changes_nothing(dataset, what, words):
    config = QUICK
    rows = dataset.training(1.0, 0)
    torch.manual_seed(0)
    module = Poisoned(at=3, what=what)(*build_pair(config, dataset.space, dataset.shape))
    training = Training(
        module,
        adam(module, 1e-3),
        rows,
        epochs=1,
        batch_size=10,
        seed=0,
        rate=lambda _: 1e-3,
    )
    weights = []

    def weigh():
        for _ in training.run():
            weights.append([p.detach().clone() for p in module.parameters()])

    with pytest.raises(NotFiniteStepError, match=words) as error:
        weigh()
    assert (error.value.epoch, error.value.step) == (0, 2)
    order = training.feed.epoch(0).batches[2].rows
    assert torch.equal(error.value.batch.index, order)
    assert all(map(torch.equal, weights[1], module.parameters()))
    assert not all(map(torch.equal, weights[0], weights[1]))


def test_the_batch_of_a_step_that_is_not_finite_is_kept(tmp_path, dataset):
    run = start(tmp_path, dataset)
    run.objective = Poisoned(at=2, what="term")
    with pytest.raises(ValueError, match=r"step 2 of epoch 1 .*not-finite.safetensors has its"):
        finish(run, dataset)
    kept = load_file(tmp_path / NOT_FINITE)
    assert kept["x"].shape == (20, 3, 64, 64)
    assert {"y", "d", "index"} < kept.keys()
    assert any(name.startswith("guide.") for name in kept)


def test_clipping_limits_the_step_and_the_norm_is_logged(tmp_path, dataset):
    free, clipped = start(tmp_path / "a", dataset), start(tmp_path / "b", dataset, clip=1e-3)
    finish(free, dataset), finish(clipped, dataset)
    norms = [read_lines(tmp_path / n / STEPS)[0]["grad_norm"] for n in "ab"]
    assert norms[0] > 1
    assert norms[1] > 1  # before it is clipped
    moments = [load_file(tmp_path / n / CHECKPOINT)["optimizer.0.exp_avg_sq"].max() for n in "ab"]
    assert moments[1] < 1e-6 < moments[0]


def test_schedules_of_step_sizes_and_labelled_fractions(tmp_path, dataset):
    run = start(
        tmp_path,
        dataset,
        epochs=6,
        schedule="constant",
        validation=0.0,
        labelled_schedule="0.9,0.5,0.1",
        objective="our-adapted-diva",
    )
    finish(run, dataset)
    lines = read_lines(tmp_path / STEPS)
    assert [line["labelled"] for line in lines] == pytest.approx([0.9, 0.9, 0.5, 0.5, 0.1, 0.1])
    assert lines[-1]["lr"] == run.config.lr
    assert {"step", "epoch", "objective", "bound", "beta", "rows_per_second"} < lines[0].keys()
    # Baselines see every label that the training saw.
    assert training_rows(run.config, dataset).labelled_share == pytest.approx(0.9)


def test_beta_is_logged_as_it_warms_up(tmp_path, dataset):
    finish(start(tmp_path, dataset, program="diva", epochs=3, warm_up=2), dataset)
    assert [line["beta"] for line in read_lines(tmp_path / STEPS)] == [0.5, 1.0, 1.0]


def test_bfloat16_is_for_networks_alone(tmp_path, dataset, whole):
    run = start(tmp_path, dataset, precision="bf16", epochs=1, trunks=2)
    types = set()

    def hook(module, _, outputs):
        types.update(t.dtype for t in (outputs if isinstance(outputs, tuple) else (outputs,)))

    run.guide.encoder.style.heads.loc.register_forward_hook(hook)
    weights = finish(run, dataset)
    assert torch.bfloat16 in types
    assert all(w.dtype != torch.bfloat16 for w in weights.values())
    plain = start(tmp_path / "32", dataset, epochs=1, trunks=2)
    finish(plain, dataset)
    coarse, fine = (read_lines(d / METRICS)[0] for d in (tmp_path, tmp_path / "32"))
    assert coarse["objective"] != fine["objective"]
    assert coarse["objective"] == pytest.approx(fine["objective"], rel=1e-2)


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # the compiler's own look
def test_compiled_networks_train_alike(tmp_path, dataset):
    options = {"network": "mlp", "epochs": 1}
    plain = finish(start(tmp_path / "a", dataset, **options), dataset)
    compiled = finish(start(tmp_path / "b", dataset, **options), dataset, compiled=True)
    assert plain.keys() == compiled.keys()
    for name, value in plain.items():
        if not name.startswith("optimizer"):
            torch.testing.assert_close(compiled[name], value, rtol=0, atol=1e-4, msg=name)


def test_lines_beyond_the_checkpoint_and_broken_ones_are_dropped(tmp_path):
    path = tmp_path / STEPS
    path.write_text('{"step": 1}\n{"step": 2}\n{"ste')  # by an earlier version, without sums
    keep_lines(path, lambda line: line["step"] < 2)
    assert path.read_text() == summed({"step": 1})


def test_a_digit_that_was_changed_in_a_log_is_known(tmp_path):
    path = tmp_path / METRICS
    lines = [summed({"epoch": e, "objective": -1.5 * e}) for e in range(4)]
    path.write_text("".join(lines).replace("-3.0", "-2.0").replace('"epoch": 3', '"epoch":  3'))
    assert [line["epoch"] for line in read_lines(path)] == [0, 1, 3]  # a space changes nothing
    path.write_text(lines[0] + '{"epoch": 1, "objective": -1.5}\n')
    assert read_lines(path) == [{"epoch": 0, "objective": 0.0}]


def test_tensorboard_has_the_same_figures(tmp_path, dataset):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    finish(start(tmp_path, dataset), dataset, board=True)
    events = reader.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    drawn = [event.value for event in events.Scalars("objective")]
    assert drawn == pytest.approx([line["objective"] for line in read_lines(tmp_path / STEPS)])
    assert [event.step for event in events.Scalars("epoch/accuracy")] == [3, 6, 9]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"schedule": "wavy"}, "choose one of cosine, linear, constant"),
        ({"precision": "8"}, "choose one of 32, bf16"),
        ({"clip": -1.0}, "clip of at least 0 and finite, got -1.0"),
        ({"labelled_schedule": "0.9;0.1"}, "separated by commas"),
        ({"labelled_schedule": "0.9,2"}, "between 0 and 1, got 2.0"),
    ],
)
def test_settings_that_cannot_be(tmp_path, dataset, options, words):
    with pytest.raises(ValueError, match=words):
        start(tmp_path / "run", dataset, **options)
    assert not (tmp_path / "run").exists()


def test_one_process_in_float32_gives_the_bits_that_fabric_gives(tmp_path, dataset, whole):
    from lightning_fabric import Fabric

    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    assert same(whole, finish(start(tmp_path, dataset), dataset, fabric=fabric))
    assert isinstance(engine(CPU), Alone)
    assert isinstance(engine(CPU, precision="bf16"), Fabric)
