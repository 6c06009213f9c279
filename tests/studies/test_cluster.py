"""A comparison on a Dask cluster of this machine, of which a worker is killed."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from ccvae.benchmarks.killed import tray
from ccvae.studies.comparing import compare

distributed = pytest.importorskip("distributed")


@pytest.mark.filterwarnings("default")  # the cluster's own
def test_a_lost_workers_cell_is_taken_up_by_another(tmp_path, monkeypatch):
    here = [str(Path(entry).absolute()) for entry in sys.path]
    monkeypatch.setattr(sys, "path", here)  # processes of another folder find the package too
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(here))
    monkeypatch.chdir(tmp_path)
    data = tray(tmp_path / "tray.npz")
    asked = {"data": data, "labelled": 0.5, "seeds": 2, "network": "mlp", "style": 2}
    asked |= {"epochs": 8, "batch_size": 20, "threads": 1, "told": lambda line: None}
    lost, over = [], []
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]

        def kill():
            while not lost and not over:
                time.sleep(0.01)
                if list(Path("c/runs").glob("ccvae*/checkpoint.safetensors")):
                    os.kill(pids[0], signal.SIGKILL)
                    lost.append(True)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            found = compare(out="c", scheduler=cluster.scheduler_address, **asked)
        finally:
            over.append(True)
            killer.join()
    assert lost
    assert set(found.frame.state) == {"done"}
    compare(out="d", **asked)
    assert Path("c/table.csv").read_bytes() == Path("d/table.csv").read_bytes()


def test_no_scheduler_is_said_in_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr("ccvae.studies.comparing.workers.SCHEDULER_SECONDS", 0.5)
    data = tray(tmp_path / "tray.npz")
    with pytest.raises(ValueError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        compare(out=tmp_path / "c", data=data, labelled=0.5, scheduler="tcp://127.0.0.1:1")
