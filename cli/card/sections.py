"""The parts of the card: each takes a model and gives HTML. Words say what a figure means before they show it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from cli.card import charts
from cli.card.examples import Weighed as WeighedExample
from cli.card.examples import weigh_examples
from cli.forecast_report import doubt_at, sentences
from matching.calibration import BIN_BITS, Forecast, Kind, Weighed, curve
from matching.comparisons import Comparison
from matching.model import Model, Parameter

NO_COUNTS = "<p class='soft'>Not known: this model was not trained on stored records. <code>mdm train</code> counts them.</p>"
VERDICTS = {"match": "merged without a human", "review": "a human is asked", "no_match": "left apart"}
LARGEST_BITS = 24.0


def words(name: str) -> str:
    """A name as people write it."""
    return escape(name.replace("_", " "))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Lay out rows; the last `numbers` columns are figures. Cells are HTML."""
    kinds = [""] * (len(head) - numbers) + [' class="number"'] * numbers
    top = "".join(f"<th{kind}>{one}</th>" for kind, one in zip(kinds, head, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{one}</td>" for kind, one in zip(kinds, row, strict=True)) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def figure(picture: str, title: str, caption: str = "", kind: str = "") -> str:
    """Frame a picture."""
    under = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure class='{kind}'><h3>{title}</h3>{picture}{under}</figure>"


def legend(*entries: tuple[str, str]) -> str:
    """Say what colours mean."""
    return '<ul class="legend">' + "".join(f"<li>{charts.swatch(kind)}{said}</li>" for kind, said in entries) + "</ul>"


def marks(model: Model) -> tuple[tuple[str, float], ...]:
    """The lines as charts mark them."""
    return (("component", model.lines.component), ("guard", model.lines.guard), ("merge", model.lines.merge))


def comparisons(model: Model) -> str:
    """Draw m, u and weight of every level."""
    pictures = [
        figure(_comparison(comparison, parameters), words(comparison.name), _about(comparison))
        for comparison, parameters in zip(model.comparisons, model.parameters, strict=True)
    ]
    return legend(
        ("m", "m: among pairs of one customer"),
        ("u", "u: among other pairs"),
        ("for", "speaks for"),
        ("against", "speaks against"),
    ) + (f'<div class="grid">{"".join(pictures)}</div>')


def _comparison(comparison: Comparison, parameters: Sequence[Parameter]) -> str:
    rows = [
        charts.LevelRow(level.name.replace("_", " "), one.m, one.u, one.weight)
        for level, one in zip(comparison.levels, parameters, strict=True)
    ]
    return charts.levels(f"{comparison.name}: m, u and weight of each level", rows, LARGEST_BITS)


def _about(comparison: Comparison) -> str:
    if comparison.correction:
        return "Takes back what is shared for one reason and was counted as if for several."
    weighed = [level.name for level in comparison.levels if level.frequency]
    return f"Frequent values weigh less, rare ones more ({words(', '.join(weighed))})." if weighed else ""


def examples(model: Model) -> str:
    """Draw how the weight of invented pairs comes about."""
    return f'<div class="grid">{"".join(_example(model, one) for one in weigh_examples(model))}</div>'


def _example(model: Model, one: WeighedExample) -> str:
    steps = [charts.Step("before any evidence", model.prior_weight)]
    steps += [charts.Step(f"{name}: {level}".replace("_", " "), bits) for name, level, bits in one.parts]
    verdict = f"{VERDICTS[one.decided.verdict]} ({words(one.decided.reason_code)})"
    picture = charts.waterfall(f"{one.example.title}: weight by comparison", steps, marks(model)[1:])
    return figure(
        picture,
        escape(one.example.title),
        f"{escape(one.example.about)} <strong>{one.scored.weight:+.1f} bits: {verdict}.</strong>",
    )


def weights(model: Model, weighed: Weighed | None) -> str:
    """Draw how many candidate pairs weigh what."""
    if weighed is None:
        return NO_COUNTS
    asked = [*weighed.pairs(Kind.ASKED, -math.inf), *weighed.pairs(Kind.VETOED, -math.inf)]
    series = (
        ("distant", _bins(weighed.pairs(Kind.DISTANT, -math.inf))),
        ("merged", _bins(weighed.pairs(Kind.MERGEABLE, -math.inf))),
        ("asked", _bins(asked)),
    )
    picture = charts.histogram("candidate pairs by weight", series, 1.0, marks(model))
    named = legend(
        ("merged", "may merge by weight"),
        ("asked", "never without a human: no personal grounds, or a veto"),
        ("distant", "not kept"),
    )
    return named + figure(
        picture, "Candidate pairs by weight", "Each row is ten times the one below it. The dashed lines are the model's.", "alone"
    )


def _bins(pairs: Iterable[tuple[float, int]]) -> list[tuple[float, int]]:
    """Gather bins into whole bits."""
    found: dict[int, int] = {}
    for middle, count in pairs:
        start = math.floor(middle - BIN_BITS / 2)
        found[start] = found.get(start, 0) + count
    return sorted((float(at), count) for at, count in found.items() if count)


def thresholds(model: Model, weighed: Weighed | None) -> str:
    """Draw what other lines would come to."""
    if weighed is None or not weighed.records:
        return NO_COUNTS
    points = curve(weighed, model.lines)
    merges = [(at, 1000 * found.false_merge_rate) for at, found in points.by_merge]
    asked = [(at, 1000 * found.questions / weighed.records) for at, found in points.by_merge]
    by_guard = [(at, 1000 * found.questions / weighed.records) for at, found in points.by_guard]
    missed = [(at, 1000 * found.missed / weighed.records) for at, found in points.by_guard]
    merge, guard = marks(model)[2:], marks(model)[1:2]
    first = charts.curves(
        "false merges and questions by merge line", "merge line, in bits", (("curve", merges), ("other", asked)), merge
    )
    second = charts.curves(
        "questions and missed pairs by guard line", "guard line, in bits", (("other", by_guard), ("curve", missed)), guard
    )
    return '<div class="grid">' + (
        figure(
            first,
            "If the merge line moved",
            legend(("for", "expected false merges per 1,000 merges"), ("asked", "questions per 1,000 records")),
        )
        + figure(
            second,
            "If the guard line moved",
            legend(
                ("asked", "questions per 1,000 records"), ("for", "one customer's pairs left apart unasked, per 1,000 records")
            ),
        )
        + "</div>"
    )


def lines(model: Model, found: Forecast | None) -> str:
    """Say where the lines are and what they come to."""
    said = (
        ("component", model.lines.component, "below it a pair is not even kept"),
        ("guard", model.lines.guard, "from here a human is asked"),
        ("merge", model.lines.merge, "from here, with personal evidence, records merge without a human"),
    )
    rows = [(f"<strong>{name}</strong>: {about}", f"{at:+.1f}", doubt_at(at)) for name, at, about in said]
    told = table(("line", "bits", "wrong, of pairs on it"), rows, 2)
    if found is None:
        return told + NO_COUNTS
    records = int(model.report.get("records", 0))
    return told + "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in sentences(found, records)) + "</ul>"


def calibration(report: Mapping[str, Any]) -> str:
    """Say how what stewards decided compares with what was expected."""
    said = report.get("stewards")
    if not isinstance(said, Mapping) or not said.get("pairs"):
        return (
            "<p>No steward had decided anything when it was trained: what is expected here is what the model believes of itself,"
            " from data without labels. Settled questions will show whether it is right.</p>"
        )
    learned = "moved its weights and prior" if said.get("learned") else f"did not move it: {escape(str(said.get('because', '')))}"
    told = f"<p>{said['decisions']:,} decisions about {said['pairs']:,} pairs {learned}.</p>"
    if "surprise_bits_before" in said:
        told += (
            f"<p>A decision surprised the model by {said['surprise_bits_before']:.2f} bits on average before, and by"
            f" {said['surprise_bits_after']:.2f} where it had not learned from that decision.</p>"
        )
    rows = [
        (f"{one['from']:.0%} to {one['to']:.0%}", f"{one['decisions']:,.0f}", f"{one['expected']:.0%}", f"{one['matches']:.0%}")
        for one in said.get("calibration", ())
    ]
    return told + (table(("believed probability", "decisions", "believed", "one customer"), rows, 3) if rows else "")


def training(report: Mapping[str, Any]) -> str:
    """Say how it was trained, pass by pass."""
    rows = [
        (
            words(one["blocks_on"]),
            "yes" if one["converged"] else "<strong>no</strong>",
            f"{one['pairs']:,}",
            f"{one['matching']:.1%}",
            f"{one['rounds']}",
        )
        for one in report.get("passes", ())
    ]
    kept = report.get("kept_from_base") or ()
    told = table(("pairs that agree on", "converged", "pairs", "one customer's", "rounds"), rows, 3) if rows else ""
    told += "".join(
        f"<p>Pairs that agree on {words(one['blocks_on'])} mostly differ in {words(', '.join(one['disbelieved']))}: "
        "they are hardly one customer's, and taught nothing of that.</p>"
        for one in report.get("passes", ())
        if one.get("disbelieved")
    )
    if kept:
        told += f"<p>The records say nothing of {words(', '.join(kept))}: what the model before knew of it stays.</p>"
    rest = {
        name: value
        for name, value in report.items()
        if isinstance(value, int | float | str) and name not in {"records", "candidate_pairs"}
    }
    if rest:
        told += table(
            ("", ""),
            [(words(name), escape(f"{value:,}" if not isinstance(value, str) else value)) for name, value in rest.items()],
            1,
        )
    return told or "<p class='soft'>It says nothing of how it was trained.</p>"
