"""Trains a run while somebody kills it at 20 random moments; prints how often that happened.

Run as ``python killed.py DIRECTORY CONFIG`` with a configuration as JSON. The parent process trains
nothing itself, so that it may fork; each child goes on from the checkpoint that it finds.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

KILLS = 20


def main(directory, config):
    # Before the first fork, so that no child pays for it.
    import lightning_fabric  # noqa: F401
    import torch

    from ccvae.config import Config
    from ccvae.data.spec import load as load_data
    from ccvae.inference.runs.fitting import fit
    from ccvae.inference.runs.run import resume_or_create, training_rows

    torch.set_num_threads(1)  # threads do not survive a fork
    config = Config.from_json(json.loads(config))
    dataset, moments = load_data(config.data), random.Random(0)
    kills = 0
    while True:
        child = os.fork()
        if not child:
            cpu = torch.device("cpu")
            run = resume_or_create(config, dataset, Path(directory), cpu, resume=True)
            for _ in fit(run, training_rows(config, dataset), resume=True, save_seconds=0.0):
                pass
            os._exit(0)
        if kills < KILLS:
            time.sleep(moments.uniform(0.05, 0.6))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if status == 0:
            break
        kills += 1
    print(kills)


if __name__ == "__main__":
    main(*sys.argv[1:])
