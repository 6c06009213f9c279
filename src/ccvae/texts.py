"""What the commands print for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .inference.training import Metrics

Document = dict[str, Any]


def command_line(*words: object) -> str:
    """A command of ours as a shell takes it.

    >>> command_line("evaluate", "my run")
    "ccvae evaluate 'my run'"
    """
    return shlex.join(["ccvae", *map(str, words)])


def epoch_line(metrics: Metrics) -> str:
    """What an epoch of training came to, in at most 100 columns; the logs have its terms.

    >>> found = {"epoch": 1, "objective": -46892.93, "bound": -11874.3, "accuracy": 0.5617}
    >>> epoch_line(found | {"validation_bound": -12659.3, "validation_accuracy": 0.58})
    'epoch 2: objective -46892.9, bound -11874.3, accuracy 0.562; validation -12659.3, 0.580'
    """
    if not metrics:
        return "nothing left to train"
    right = "accuracy" if "accuracy" in metrics else "r2"  # where all labels are numbers
    names = ("objective", "bound", right)
    parts = [f"{name} {number(metrics[name])}" for name in names if name in metrics]
    tried = [number(metrics[TRIED + name]) for name in names if TRIED + name in metrics]
    found = f"; validation {', '.join(tried)}" if tried else ""
    return f"epoch {metrics['epoch'] + 1:.0f}: {', '.join(parts)}{found}".replace("r2", "R²")


def number(value: float) -> str:
    """A share with three decimals, nats with one, and what is larger in five digits.

    >>> number(0.5), number(-12.34), number(-123456.7), number(1.5e12)
    ('0.500', '-12.3', '-123457', '1.5e+12')
    """
    if abs(value) <= 1:
        return f"{value:.3f}"
    return f"{value:.1f}" if abs(value) < 1e5 else f"{value:.6g}"


TRIED = "validation_"
"""How the names begin of what was found on rows that are not trained on."""


def aligned(rows: Iterable[Iterable[str]], left: int = 1) -> str:
    """Rows as aligned text; the first ``left`` columns hold words, the others numbers."""
    cells = [list(row) for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def study_text(name: str, found: Document | None) -> str:
    """A study's text and captions, and where its pictures are."""
    if found is None:
        return f"{name}: does not apply to this run"
    captions = [f"figures/{p['name']}.png  {p['caption']}".strip() for p in found["pictures"]]
    return "\n".join([f"{found['title']} ({name})", *found["text"], *captions])


def evaluation_text(result: Document) -> str:
    """What ``ccvae evaluate`` found, with its baselines beside it."""
    if "part" in result:  # of minibatches of the user's own
        return _own_text(result)
    drawn = "reconstruction_l1" in result
    figures = (
        f"bound on the evidence: {result['bound']:.1f} nats per image\n"
        + (f"reconstruction: {result['reconstruction_l1']:.4f} {PER_CHANNEL}\n" if drawn else "")
        + f"on {result['images']} test images, labels hidden"
    )
    tables = [*_shares(result), *_errors(result)]
    return "\n\n".join([*tables, figures])


PER_CHANNEL = "mean absolute error per channel"


def _own_text(result: Document) -> str:
    error = result.get("bound_error")
    sure = f" ± {error:.2g}" if error else ""
    lines = [f"bound on the evidence: {result['bound']:.3f}{sure} nats per row"]
    if "accuracy" in result:
        lines.append(f"accuracy: {result['accuracy']:.3f} of the rows with a known y")
    return "\n".join([*lines, f"on {result['images']} rows of the part {result['part']!r}"])


def _shares(result: Document) -> list[str]:
    """The table of accuracies, if there is one."""
    if "accuracy" not in result:
        return []
    names = ("accuracy", "classifier", "majority")
    rows = [["label", "model", "classifier", "majority", "balanced"]]
    for label, balanced in result["balanced_by_label"].items():
        shares = [result[f"{name}_by_label"][label] for name in names]
        rows.append([label, *(f"{share:.3f}" for share in (*shares, balanced))])
    rows.append(["mean", *(f"{result[name]:.3f}" for name in names), ""])
    return [aligned(rows)]


def _errors(result: Document) -> list[str]:
    """The table of mean absolute errors, in a number's units or in classes, if there is one."""
    if "error_by_label" not in result:
        return []
    rows = [["mean absolute error", "model", "classifier", "constant", "R²", "classifier's"]]
    for label in result["error_by_label"]:
        off = [result[f"{of}error_by_label"][label] for of in ("", "classifier_", "majority_")]
        of_variance = [result.get(f"{of}r2_by_label", {}).get(label) for of in ("", "classifier_")]
        shares = ["" if share is None else f"{share:.3f}" for share in of_variance]
        rows.append([label, *(f"{error:.3g}" for error in off), *shares])
    return [aligned(rows)]


def description_text(document: Document) -> str:
    """What ``ccvae data`` found of a data set."""
    channels, height, width = document["shape"]
    rows = [["label", "kind", "class", "rows", "missing"]]
    for name, label in document["labels"].items():
        for k, (value, count) in enumerate(_classes(label)):
            first = (name, label["kind"], str(label["missing"])) if k == 0 else ("", "", "")
            rows.append([*first[:2], value, count, first[2]])
    majority = document["majority"]
    problems = some(document["problems"], "--json lists all") or ["none found"]
    notes = some(document["notes"], "--json lists all")
    understood = f"understood: {LINE.join(notes)}\n" * bool(notes)
    return (
        f"{document['name']}: {document['images']} images of {channels}×{height}×{width}, "
        f"{document['train']} to train and {document['test']} to test, "
        f"{document['domains'] or 'no'} domains\n\n{aligned(rows, left=3)}\n\n"
        f"majority-class accuracy, mean over labels: "
        f"{'unknown' if majority is None else f'{majority:.3f}'}\n"
        f"{strongest(document['correlations'])}"
        f"{understood}problems: {LINE.join(problems)}"
    )


def _classes(label: Document) -> list[tuple[str, str]]:
    """The classes of a label and their rows, or where its numbers lie and how many there are."""
    numbers = label.get("numbers")
    if numbers is None:
        return [(name, str(count)) for name, count in label["classes"].items()]
    if not numbers:
        return [("no number", "0")]
    words = "{min:.4g} to {max:.4g}, mean {mean:.4g}, deviation {sd:.4g}".format(**numbers)
    return [(words, str(label["rows"]))]


LINE = "\n  "
"""Between the entries of a list within a text."""


def strongest(correlations: Document, count: int = 8) -> str:
    """The pairs of labels that go together or exclude each other most, in a line."""
    pairs = [
        (value, f"{first} and {second} {value:+.2f}")
        for first, others in correlations.items()
        for second, value in others.items()
        if value is not None
    ]
    strongest = sorted(pairs, key=lambda pair: -abs(pair[0]))[:count]
    return f"strongest correlations: {', '.join(text for _, text in strongest)}\n" * bool(pairs)


def some(lines: list[str], rest: str, count: int = 20) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - count
    return lines if more <= 0 else [*lines[:count], f"and {more} more; {rest}"]
