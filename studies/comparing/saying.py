"""What a comparison's figures say in words: how they were made, and what the seeds can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from .paired import CONFIDENCE, Difference
from .plan import CLASSIFIER, MAJORITY, Comparison
from .rows import (
    FAILED,
    MEASURES,
    Measure,
    Row,
    fractions_of,
    measures_of,
    methods_of,
    rivals_of,
    values,
)


def notes(
    comparison: Comparison,
    rows: Sequence[Row],
    found: Sequence[Difference],
    counts: tuple[int, int],
) -> list[str]:
    """The paragraphs below the tables.

    Args:
        counts: training rows and test rows.
    """
    paragraphs = [how(comparison, rows, counts), *seeds_tell(rows, found)]
    if comparison.grid:
        paragraphs.append(choices(comparison, rows))
    paragraphs += failures(rows)
    return paragraphs


def how(comparison: Comparison, rows: Sequence[Row], counts: tuple[int, int]) -> str:
    """What the figures are of."""
    train, test = counts
    shown = {measure.key for measure in measures_of(rows)}
    words = {
        "accuracy": "*Accuracy* is the mean over the labels with classes",
        "r2": "*R²* the mean over the labels that are numbers",
        "bound": "*bound* the evidence bound on log p(x) in nats an image, in which no α stands",
        "reconstruction_l1": (
            "*error* that of the reconstruction, mean absolute, in thousandths of the pixel range"
        ),
    }
    said = ", ".join(text for key, text in words.items() if key in shown)
    fractions = ", ".join(f"{fraction:g}" for fraction in comparison.labelled)
    count = len(comparison.seeds)
    several = (
        f"Mean ± standard error over {count} seeds; the runs of one seed share their labelled "
        "rows, the order of all rows and, within a program, the initial weights."
        if count > 1
        else "One seed."
    )
    own = {row["method"] for row in rows if row.get("inputs")}
    apart = (
        f" Of other data, the minibatches of their own: {', '.join(sorted(own))}; their figures "
        "stand beside and are held against nothing."
    )
    if not test:
        return f"{said[:1].upper()}{said[1:]}, on test minibatches of their own. {several}"
    return (
        f"{said[:1].upper()}{said[1:]}, all on {test} test images whose labels and domains are "
        f"hidden. F, the share of the {train} training images that show their labels: "
        f"{fractions}. {several} The plain classifier has the same encoder, labels and looks at "
        f"them, and no model of the images.{apart if own else ''}"
    )


def seeds_tell(rows: Sequence[Row], found: Sequence[Difference]) -> Iterator[str]:
    """What the seeds can tell and what they cannot, a paragraph a measure."""
    if len({row["seed"] for row in rows}) < 2:
        yield (
            "*What the seeds tell*: nothing of chance. There is one, so how much a figure changes "
            "from seed to seed is unknown, and no difference in this table can be told from it; "
            "give --seeds 3 or more."
        )
        return
    for measure in measures_of(rows):
        own = [d for d in found if d.key == measure.key and d.seeds > 1]
        own = [d for d in own if d.method not in (CLASSIFIER, MAJORITY)]
        if own:
            yield _of_measure(measure, own, fractions_of(rows))
    yield (
        f"*The intervals* are Student's, of the differences seed by seed: they hold the true mean "
        f"difference in {CONFIDENCE:.0%} of repetitions with new seeds, on these data. Each stands "
        f"for itself: of twenty between equals one leaves 0 out by chance"
        + (" (here there are " + str(len(found)) + ")." if len(found) > 5 else ".")
        + (
            " With two seeds they reach 12.7 standard errors to either side: give more."
            if any(difference.seeds == 2 for difference in found)
            else ""
        )
    )


def _of_measure(measure: Measure, own: Sequence[Difference], fractions: Sequence[float]) -> str:
    """What can be told of one measure."""
    clear = [_clear(measure, difference, fractions) for difference in own if difference.is_clear]
    unclear = [f"{d.method}{_at(d, fractions)}" for d in own if not d.is_clear]
    reference, count = own[0].reference, max(d.seeds for d in own)
    parts = []
    if clear:
        parts.append(f"beyond chance, {'; '.join(clear)}")
    if unclear:
        parts.append(f"not to be told from {reference}: {', '.join(unclear)}")
    reach = measure.factor * median((d.high - d.low) / 2 for d in own)
    unit = measure.title.partition(", ")[2].replace("%", "points")
    return (
        f"*What the seeds tell of {measure.short}*, with {count} of them: {'; '.join(parts)}. A "
        f"difference of less than about {reach:.2g} {unit} goes unseen so; to see one of half the "
        "size takes some four times as many seeds."
    )


def _clear(measure: Measure, difference: Difference, fractions: Sequence[float]) -> str:
    better = (difference.mean > 0) == (measure.better > 0)
    low, high = sorted(abs(measure.factor * value) for value in (difference.low, difference.high))
    return (
        f"{difference.method} is {'better' if better else 'worse'} than {difference.reference} by "
        f"{abs(measure.factor * difference.mean):.1f} ({low:.1f} to {high:.1f})"
        f"{_at(difference, fractions)}"
    )


def _at(difference: Difference, fractions: Sequence[float]) -> str:
    return f" at F = {difference.labelled:g}" if len(fractions) > 1 else ""


def choices(comparison: Comparison, rows: Sequence[Row]) -> str:
    """Which setting of each method is reported."""
    said = []
    for fraction in fractions_of(rows):
        for method in methods_of(rows):
            own = [r for r in rows if (r["method"], r["labelled"]) == (method, fraction)]
            chosen = next((row["setting"] for row in own if row["chosen"]), "")
            if chosen and len({row["setting"] for row in own}) > 1:
                said.append(f"{method} {chosen}{_fraction(fraction, comparison.labelled)}")
    tried = "; ".join(f"{n} {', '.join(map(_word, v))}" for n, v in comparison.grid.items())
    criterion = comparison.criterion or "accuracy, where there is one, else R² or the bound"
    return (
        f"*Settings* tried: {tried}. Of each method the one with the best mean over the seeds on "
        f"validation images is reported, by {criterion}; these are labelled training images that "
        f"the run does not train on. The test images had no part in it. Chosen: "
        f"{', '.join(said) or 'nothing to choose'}."
    )


def _fraction(fraction: float, fractions: Sequence[float]) -> str:
    return f" at F = {fraction:g}" if len(fractions) > 1 else ""


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def failures(rows: Sequence[Row]) -> list[str]:
    """What failed and why, a paragraph for each reason."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row["state"] == FAILED and row["method"] != MAJORITY:
            reasons.setdefault(row["failure"], []).append(row["run"])
    return [f"*Failed*: {', '.join(runs)}: {reason}" for reason, runs in reasons.items()]


def findings(rows: Sequence[Row]) -> str:
    """The best of each measure in a sentence, for the head of a report."""
    said = []
    fractions = fractions_of(rows)
    names = rivals_of(rows)
    for fraction in fractions:
        for measure in MEASURES:
            means = {n: values(rows, n, fraction, measure.key) for n in names}
            known = {n: sum(v.values()) / len(v) for n, v in means.items() if v}
            if len(known) > 1:
                best = max(known, key=lambda n: measure.better * known[n])
                value = f"{measure.factor * known[best]:.1f}".replace("-", "−")
                said.append(f"{measure.short} {best} ({value})")
        if said and len(fractions) > 1:
            said[-1] += f" at F = {fraction:g}"
    return f"Best mean: {', '.join(said)}." if said else ""
