"""The card as one page: what the model is, what it weighs, where its lines are, how it was made. Holds no real person's data."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape

from cli.card import look, sections
from cli.forecast_report import forecast_of, one_in
from matching.calibration import Targets, weighed_from
from matching.model import Model


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a model beside itself: when it was stored, whether it rules, what policy asks of its lines."""

    stored_at: datetime | None
    is_current: bool
    targets: Targets


def page(model: Model, facts: Facts) -> str:
    """Write the page. The same model and facts give the same text."""
    weighed = weighed_from(model.report)
    body = "".join(
        (
            _head(model),
            _facts(model, facts),
            _section("What it does", _about()),
            _section("What each agreement is worth", _LEVELS + sections.comparisons(model)),
            _section("How a pair adds up", _EXAMPLES + sections.examples(model)),
            _section("What the candidates weigh", sections.weights(model, weighed)),
            _section("The lines, and what they come to", _LINES + sections.lines(model, forecast_of(model, facts.targets))),
            _section("If the lines moved", sections.thresholds(model, weighed)),
            _section("Is it right?", sections.calibration(model.report)),
            _section("How it was trained", _TRAINING + sections.training(model.report)),
        )
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{look.content_policy()}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>Model {escape(model.name)}</title>\n<style>{look.STYLE}</style>\n</head>\n"
        f"<body>\n<main>{body}</main>\n</body>\n</html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>\n"


def _head(model: Model) -> str:
    return (
        f"<header><h1>Matching model “{escape(model.name)}”</h1>"
        f"<p class='soft'>Fingerprint <code>{escape(model.fingerprint)}</code></p></header>\n"
    )


def _facts(model: Model, facts: Facts) -> str:
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _cells(model, facts))
    return f'<dl class="facts">{cells}</dl>\n'


def _cells(model: Model, facts: Facts) -> Iterator[tuple[str, str]]:
    yield "rules", "yes" if facts.is_current else "no"
    yield "stored", f"{facts.stored_at:%Y-%m-%d %H:%M}" if facts.stored_at else "not here"
    for name, said in (("records", "trained on records"), ("candidate_pairs", "candidate pairs")):
        if name in model.report:
            yield said, f"{int(model.report[name]):,}"
    yield "one customer's, of all pairs", one_in(model.prior)
    yield "frequent values kept, as hashes", f"{sum(len(one.values) for one in model.frequencies.values()):,}"


def _about() -> str:
    return (
        "<p>It weighs whether two records are one customer. A weight is counted in bits: each bit doubles the odds. It begins"
        " with how rare it is that two records are one customer's, adds what each comparison says, and compares the sum with"
        " three lines. What is missing on either side says nothing. It was trained without labels: from how records agree and"
        " differ.</p>"
    )


_LEVELS = (
    "<p>A comparison falls on one of its levels, the strongest first. How often a level is seen among pairs of one customer (m)"
    " against how often among others (u) is what it is worth. Bars of m and u stand on a scale of decades from one in ten million"
    " to all.</p>"
)
_EXAMPLES = "<p>The people are invented. Dashed: the guard line, from which a human is asked, and the merge line.</p>"
_LINES = "<p>What is expected is the sum over pairs of what the model believes: it is as right as the model is.</p>"
_TRAINING = (
    "<p>Each pass takes the pairs that agree on one thing and finds out, from everything else, which of them are one customer's."
    " A pass that did not converge is marked.</p>"
)
