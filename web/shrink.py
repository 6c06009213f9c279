"""What the page needs of a run, and no more: ``python -m ccvae.web.shrink RUN DIRECTORY``.

The weights are kept in half precision, in which a reconstruction differs by less than a step of
256, and running moments, whose differences count, as they are; loading turns the weights into what
the programs are made of. The optimiser's state is left out, and
some test images are put beside, with how well training images are drawn, so that the page opens
without the data set.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from ..inference.runs.run import CHECKPOINT, CONFIG, EVALUATION, load
from .examples import EXAMPLES, examples, usual


def shrink(directory: Path, target: Path) -> None:
    """Write a trained run for the page into another directory.

    Args:
        directory: of the run. target: is made where it does not exist.
    """
    target.mkdir(parents=True, exist_ok=True)
    run = load(directory, torch.device("cpu"))
    (images, labels), errors = examples(run), torch.tensor(usual(run))
    tensors = load_file(directory / CHECKPOINT)
    moments = {f"{name}.{key}" for name, m in run.modules.items() for key, _ in m.named_buffers()}
    weights = {
        name: tensor.half() if tensor.is_floating_point() and name not in moments else tensor
        for name, tensor in tensors.items()
        if name.startswith(("model.", "guide."))
    }
    pixels = (images * 255).round().byte().contiguous()
    kept = {"images": pixels, "labels": labels, "errors": errors}
    for name, content in ((CHECKPOINT, weights), (EXAMPLES, kept)):
        (target / name).write_bytes(save(content))
    for name in (CONFIG, EVALUATION):
        shutil.copyfile(directory / name, target / name)


if __name__ == "__main__":
    shrink(Path(sys.argv[1]), Path(sys.argv[2]))
