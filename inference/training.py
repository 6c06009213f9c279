"""The training loop: an objective as a torch module, a torch optimiser, one pass after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pyro
import torch
from pyro.infer.elbo import ELBOModule
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ..data import Batch, Rows
from .check import check_pair
from .objective import ObjectiveModule
from .prediction import classify

MONITORED = 512
"""Labelled training rows on which the accuracy is watched."""

Metrics = dict[str, float]
Watch = Callable[[int, int], None]


TABLE_FACTOR = 20.0
"""How much larger the steps of tables are than those of networks."""


def adam(module: nn.Module, lr: float) -> Adam:
    """Adam in its fused form, with larger steps for tables of a few numbers.

    Adam moves every number by about its step size. What a network puts out is moved by the steps
    of thousands of weights together, but a class mean only by its own: at the networks' step size
    the conditional priors would stay where they start while the blocks that they describe move
    away. A module is a table where it says so (``is_table``), as they do. (The classifiers' slopes
    are as few, but with large steps some fall to 0 early, and do not come back from there.)

    Args:
        module: whose parameters are optimised.
        lr: the step size of networks; that of tables is ``TABLE_FACTOR`` times as large.
    """
    tables = {
        id(parameter)
        for part in module.modules()
        if getattr(part, "is_table", False)
        for parameter in part.parameters()
    }
    groups = [
        {"params": [p for p in module.parameters() if (id(p) in tables) == table], "factor": factor}
        for table, factor in ((False, 1.0), (True, TABLE_FACTOR))
    ]
    return Adam([group for group in groups if group["params"]], lr=lr, fused=True)


def train(
    module: ELBOModule,
    optimizer: Optimizer,
    rows: Rows | Callable[[int], Rows],
    *,
    epochs: range,
    batch_size: int,
    seed: int,
    rate: Callable[[float], float],
    device: torch.device | str = "cpu",
    watch: Watch | None = None,
) -> Iterator[Metrics]:
    """Train, yielding after each epoch what is worth logging.

    Each epoch draws its order and its noise from the seed and its own number, so a training that
    is interrupted and taken up at the last whole epoch goes on as if it had not been.

    Args:
        module: an ELBO of a model and a guide, ``objective(model, guide)``.
        optimizer: over the module's parameters.
        rows: the training rows with the labels that are shown, or what gives those of an epoch.
        epochs: numbers of the epochs to run; ``range(3, 10)`` goes on after three.
        batch_size: rows per step.
        seed: of the order and the noise.
        rate: the networks' step size at a point of the training, 0 at its start and 1 at its end.
        device: where the module's parameters are.
        watch: called after every step with the steps done and the steps of an epoch.

    Yields:
        ``epoch``; ``objective``, each of its terms, and the evidence ``bound`` in it (all per
        row); and ``accuracy`` on up to 512 labelled rows by q(y|x), where there is one.

    Raises:
        ValueError: where the pair fails :func:`~ccvae.inference.check_pair` on its first batch, or
            a term's mean over an epoch is NaN or infinite.
    """
    for epoch in epochs:
        now = rows if isinstance(rows, Rows) else rows(epoch)
        monitored = now.labelled.first(MONITORED)
        # At every epoch: whoever drew the last one's metrics may have evaluated the pair since.
        module.train()
        # A parameter store of its own: nothing of this pair stays in Pyro's global one.
        with pyro.get_param_store().scope():
            if epoch == 0:
                batch = now.batch(torch.arange(min(batch_size, len(now))), device)
                check_pair(
                    module.model, module.guide, *batch.args, objective=module.elbo, **batch.kwargs
                )
            if isinstance(module, ObjectiveModule):
                module.elbo.begin_epoch(epoch)
            torch.manual_seed(epoch_seed(seed, epoch))
            batches = now.batches(batch_size, epoch_seed(seed, epoch), device)
            steps = -(-len(now) // batch_size)
            sums: dict[str, Tensor] = {}
            with pyro.validation_enabled(False):
                for step, batch in enumerate(batches):
                    progress = (epoch + step / steps) / epochs.stop
                    for group in optimizer.param_groups:
                        group["lr"] = rate(progress) * group.get("factor", 1.0)
                    optimizer.zero_grad()
                    loss = module(*batch.args, **batch.kwargs)
                    loss.backward()
                    optimizer.step()
                    record(sums, module, loss, batch)
                    if watch is not None:
                        watch(step + 1, steps)
        metrics = {name: total.item() / len(now) for name, total in sums.items()}
        check_finite(metrics, epoch)
        module.eval()  # batch normalisation must not learn from the monitored rows
        yield {"epoch": epoch, **metrics, **accuracy(module.guide, monitored, device)}


def warm_cosine(progress: float, warm_up: float = 0.1) -> float:
    """A factor that rises from 0 to 1 over the warm-up and falls to 0 along half a cosine.

    >>> [round(warm_cosine(p), 3) for p in (0.05, 0.1, 0.55, 1.0)]
    [0.5, 1.0, 0.5, 0.0]
    """
    if progress < warm_up:
        return progress / warm_up
    return 0.5 * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up)))


def record(sums: dict[str, Tensor], module: ELBOModule, loss: Tensor, batch: Batch) -> None:
    """Add a batch's objective and terms to the sums over an epoch, without reading them back."""
    ledger = getattr(module, "terms", {})
    terms = {name: term.sum() for name, term in ledger.items()}
    if isinstance(module, ObjectiveModule):
        terms["bound"] = module.elbo.evidence_bound(ledger).sum()
    terms["objective"] = -loss.detach() * (len(batch.x) / batch.size)
    for name, value in terms.items():
        sums[name] = sums[name] + value if name in sums else value


def check_finite(metrics: Metrics, epoch: int) -> None:
    """Raise where a mean over an epoch is not finite.

    Raises:
        ValueError: naming the terms.
    """
    wrong = [name for name, value in metrics.items() if not abs(value) < float("inf")]
    if wrong:
        raise ValueError(
            f"epoch {epoch}: {', '.join(wrong)} became NaN or infinite; lower --lr, or start "
            "again from the last checkpoint with --resume"
        )


def accuracy(guide: nn.Module, rows: Rows, device: torch.device | str = "cpu") -> Metrics:
    """``accuracy`` of q(y|x), the mean over the labels; nothing for a guide without classifier."""
    if not hasattr(guide, "predict") or len(rows) == 0:
        return {}
    space = rows.dataset.space
    return {"accuracy": mean_over_labels(*hits(lambda x: classify(guide, space, x), rows, device))}


def hits(
    classifier: Callable[[Tensor], Tensor], rows: Rows, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Which annotated entries a classifier gets right, and which are annotated; ``(n, L)`` both."""
    parts = []
    for batch in rows.batches(500, device=device):
        parts.append(classifier(batch.x) == batch.y)
    known = ~rows.labels.isnan()
    right = torch.cat(parts).cpu() if parts else known
    return right, known


def mean_over_labels(right: Tensor, known: Tensor) -> float:
    """Accuracy of each label over its annotated rows, averaged over the labels that have any."""
    shares = (right & known).sum(0) / known.sum(0)
    return shares[~shares.isnan()].mean().item()


def epoch_seed(seed: int, epoch: int) -> int:
    """A seed of its own for every epoch of every training."""
    return seed * 100_003 + epoch
