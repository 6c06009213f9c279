"""What a comparison's figures say in words: how they were made, and what the seeds can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from ..drawing.tables import fixed
from . import labels
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
from .training import CONSTRUCTED, GIVEN, RULED, SCHEDULED


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
    paragraphs = [how(comparison, rows, counts), *weights(rows), *seeds_tell(rows, found)]
    paragraphs += labels.not_learnt(rows)
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
    count = sum(difference.seeds > 1 for difference in found)
    yield (
        f"*The intervals* are Student's, of the differences seed by seed: they hold the true mean "
        f"difference in {CONFIDENCE:.0%} of repetitions with new seeds, on these data. Each stands "
        f"for itself: between methods that are equal about one in twenty leaves 0 out by chance"
        + (f"; {count} intervals were made here." if count > 5 else ".")
        + (
            " With two seeds they reach 12.7 standard errors to either side: give more."
            if any(difference.seeds == 2 for difference in found)
            else ""
        )
    )


def _of_measure(measure: Measure, own: Sequence[Difference], fractions: Sequence[float]) -> str:
    """What can be told of one measure."""
    clear = [_clear(measure, difference, fractions) for difference in own if difference.is_clear]
    unclear = [_unclear(measure, d, fractions) for d in own if not d.is_clear]
    reference, count = own[0].reference, max(d.seeds for d in own)
    parts = []
    if clear:
        parts.append(f"beyond chance, {'; '.join(clear)}")
    if unclear:
        parts.append(f"not to be told from {reference}: {', '.join(unclear)}")
    more = " To see a difference of half the size takes some four times as many seeds."
    return (
        f"*What the seeds tell of {measure.short}*, with {count} of them: {'; '.join(parts)}."
        f"{more if unclear else ''}"
    )


def _unclear(measure: Measure, difference: Difference, fractions: Sequence[float]) -> str:
    """A method of which nothing can be told, with the difference that would have been seen of it.

    Each method has its own: how much it wavers beside the reference decides it, no other method.
    """
    named = f"{difference.method}{_at(difference, fractions)}"
    reach = measure.factor * (difference.high - difference.low) / 2
    if not reach:
        return f"{named} (the same on every seed)"
    unit = measure.title.partition(", ")[2].replace("%", "points")
    return f"{named} (a mean difference below {reach:.2g} {unit} goes unseen)"


def _clear(measure: Measure, difference: Difference, fractions: Sequence[float]) -> str:
    better = (difference.mean > 0) == (measure.better > 0)
    low, high = sorted(abs(measure.factor * value) for value in (difference.low, difference.high))
    digits = difference.digits(measure.factor)
    return (
        f"{difference.method} is {'better' if better else 'worse'} than {difference.reference} by "
        f"{abs(measure.factor * difference.mean):.{digits}f} "
        f"({low:.{digits}f} to {high:.{digits}f})"
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


def weights(rows: Sequence[Row]) -> Iterator[str]:
    """Where the α of each method comes from, in a paragraph; none where no method has one."""
    methods: dict[str, list[str]] = {}
    for row in rows:
        if row["chosen"] and row.get("alpha") is not None:
            methods.setdefault(row.get("alpha_from", ""), []).append(row["method"])
    named = {where: ", ".join(dict.fromkeys(names)) for where, names in methods.items()}
    said = [f"{text} {named[where]}" for where, text in WHERE.items() if where in named]
    own = (
        f" {named.get(CONSTRUCTED)} stands outside the rule, so that its weight of the labels may "
        "be another than that of the others: give its class label_weight and suggested_alpha, or "
        "give all --alpha or --grid alpha=…."
    )
    if said:
        yield f"*α*, the weight of the labels: {'; '.join(said)}.{own * (CONSTRUCTED in named)}"


WHERE = {
    RULED: "by the rule for",
    GIVEN: "as given for",
    SCHEDULED: "at its schedule's end for",
    CONSTRUCTED: "what its constructor says for",
}


def _below(rows: Sequence[Row], fraction: float, measure: Measure, best: float) -> str:
    """Which baseline is better than the best mean, in words."""
    for name in (CLASSIFIER, MAJORITY):
        found = values(rows, name, fraction, measure.key).values()
        if found and measure.better * (fmean(found) - best) > 0:
            return f", below the {name}'s {fixed(measure.factor * fmean(found))}"
    return ""


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
                value = fixed(measure.factor * known[best]).replace("-", "−")
                below = _below(rows, fraction, measure, known[best])
                said.append(f"{measure.short} {best} ({value}{below})")
        if said and len(fractions) > 1:
            said[-1] += f" at F = {fraction:g}"
    return f"Best mean: {', '.join(said)}." if said else ""
