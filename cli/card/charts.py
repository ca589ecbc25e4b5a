"""Charts as inline SVG, 360 units wide: at that width a phone shows them one to one. Colours come from the page's sheet by class.

Numbers and labels in, text out; every label is escaped here. Knows nothing of models.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 360
ROW = 21
Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a waterfall: what it is, and by how many bits it moves the sum."""

    label: str
    bits: float


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A level of a comparison: m, u and what it weighs."""

    label: str
    m: float
    u: float
    weight: float


def svg(height: float, label: str, parts: Iterable[str]) -> str:
    """Wrap parts as a picture with a spoken label."""
    body = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(label)}">{body}</svg>'


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Write words at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def bar(start: float, end: float, y: float, height: float, kind: str, title: str = "") -> str:
    """Draw a bar between two places, whichever comes first; at least a hair wide."""
    left, wide = min(start, end), max(abs(end - start), 0.8)
    told = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect x="{left:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{height:.1f}" class="{kind}">{told}</rect>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "axis") -> str:
    """Draw a line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def linear(first: float, last: float, start: float, end: float) -> Scale:
    """Map numbers from first to last onto places from start to end."""
    wide = (last - first) or 1.0
    return lambda value: start + (value - first) / wide * (end - start)


def short(label: str, most: int = 20) -> str:
    """Cut a label to what fits."""
    return label if len(label) <= most else label[: most - 1] + "…"


RAREST, SEEN = 1e-7, 104


def _share(value: float) -> str:
    if value >= 0.0095:
        return f"{value:.0%}" if value >= 0.0995 else f"{value:.1%}"
    return f"1 in {1 / value:,.0f}" if value > RAREST else "never"


def levels(label: str, rows: Sequence[LevelRow], most_bits: float) -> str:
    """Draw m and u on a scale of decades and what each level weighs, left of zero against and right of it for one customer."""
    shares = linear(math.log10(RAREST), 0.0, SEEN, 166)
    bits = linear(-most_bits, most_bits, 226, 322)
    height = 16 + ROW * 1.25 * len(rows)
    parts = [text(SEEN, 9, "how often seen", "tiny"), text(bits(0), 9, "weight in bits", "tiny middle")]
    parts.append(line(bits(0), 13, bits(0), height, "zero"))
    for number, row in enumerate(rows):
        top = 16 + ROW * 1.25 * number
        parts.append(text(0, top + 15, short(row.label, 17)))
        for share, kind, y in ((row.m, "m", top + 2), (row.u, "u", top + 12)):
            end = shares(math.log10(max(share, RAREST)))
            parts += [bar(SEEN, end, y, 8, kind), text(end + 3, y + 8, _share(share), "tiny")]
        parts.append(
            bar(bits(0), bits(max(-most_bits, min(most_bits, row.weight))), top + 5, 11, "for" if row.weight > 0 else "against")
        )
        parts.append(text(WIDTH, top + 15, f"{row.weight:+.1f}", "right"))
    return svg(height, label, parts)


def waterfall(label: str, steps: Sequence[Step], marks: Sequence[tuple[str, float]]) -> str:
    """Draw how a sum comes about, a row a step, and the lines that it is measured by."""
    sums = [0.0]
    for step in steps:
        sums.append(sums[-1] + step.bits)
    reached = [*sums, *(at for _, at in marks)]
    place = linear(min(reached) - 1, max(reached) + 1, 158, 324)
    height = 18 + ROW * (len(steps) + 1) + 4
    parts = _marks(marks, place, 13, height)
    parts.append(line(place(0), 13, place(0), height, "zero"))
    for number, step in enumerate(steps):
        top = 18 + ROW * number
        kind = "for" if step.bits > 0 else "against"
        parts.append(text(0, top + 13, short(step.label, 27)))
        parts.append(bar(place(sums[number]), place(sums[number + 1]), top + 3, 13, kind))
        parts.append(text(WIDTH, top + 13, f"{step.bits:+.1f}", "right"))
    top = 18 + ROW * len(steps)
    parts += [text(0, top + 13, "together", "strong"), bar(place(0), place(sums[-1]), top + 3, 13, "total")]
    parts.append(text(WIDTH, top + 13, f"{sums[-1]:+.1f}", "right strong"))
    return svg(height, label, parts)


TOP, BOTTOM, LEFT, RIGHT = 16.0, 170.0, 44.0, 344.0


def _frame(x: Scale, ticks: Iterable[float], y: Scale, heights: Iterable[tuple[float, str]], under: str) -> list[str]:
    parts = [
        part for at, said in heights for part in (line(LEFT, y(at), RIGHT, y(at)), text(LEFT - 4, y(at) + 4, said, "tiny right"))
    ]
    parts += [text(x(at), BOTTOM + 13, f"{at:+g}" if at else "0", "tiny middle") for at in ticks]
    return [*parts, text((LEFT + RIGHT) / 2, BOTTOM + 27, under, "tiny middle")]


def _ticks(first: float, last: float) -> list[float]:
    step = 5.0 if last - first <= 40 else 10.0
    return [step * number for number in range(math.ceil(first / step), math.floor(last / step) + 1)]


def histogram(
    label: str, series: Sequence[tuple[str, Sequence[tuple[float, int]]]], wide: float, marks: Sequence[tuple[str, float]]
) -> str:
    """Draw counts by weight (the start of a bin of `wide` bits, pairs) on a scale of decades; each series under a class."""
    bins = [at for _, pairs in series for at, _ in pairs] or [0.0]
    first, last = min(bins), max(bins) + wide
    most = max((count for _, pairs in series for _, count in pairs), default=1)
    decades = math.ceil(math.log10(max(most, 2)))
    x, y = linear(first, last, LEFT, RIGHT), linear(0, decades, BOTTOM, TOP)
    parts = _frame(
        x, _ticks(first, last), y, [(power, f"{10**power:,}") for power in range(decades + 1)], "weight of a pair, in bits"
    )
    for kind, pairs in series:
        for at, count in pairs:
            height = y(math.log10(count)) if count > 1 else BOTTOM - 1.5
            parts.append(
                f'<rect x="{x(at) + 0.4:.1f}" y="{height:.1f}" width="{max(x(at + wide) - x(at) - 0.8, 0.6):.1f}"'
                f' height="{BOTTOM - height:.1f}" class="{kind}"><title>{at:+g} bits: {count:,}</title></rect>'
            )
    return svg(BOTTOM + 32, label, [*parts, *_marks(marks, x, TOP - 4, BOTTOM)])


def _marks(marks: Sequence[tuple[str, float]], x: Scale, top: float, bottom: float) -> list[str]:
    """Mark lines in bits; the names of two neighbours stand on either side, those of lines on one place together."""
    places: dict[float, list[str]] = {}
    for name, at in marks:
        if -1.0 <= x(at) <= WIDTH:
            places.setdefault(at, []).append(name)
    found = []
    for number, (at, names) in enumerate(sorted(places.items())):
        before = number < len(places) - 1 or x(at) > WIDTH - 40
        kind = "tiny right" if before else "tiny"
        found += [line(x(at), top, x(at), bottom, "ruled"), text(x(at) + (1 if before else -1), top - 4, ", ".join(names), kind)]
    return found


def curves(
    label: str,
    under: str,
    series: Sequence[tuple[str, Sequence[tuple[float, float]]]],
    marks: Sequence[tuple[str, float]],
) -> str:
    """Draw positive quantities over a line in bits, on a scale of decades."""
    points = [point for _, one in series for point in one if point[1] > 0] or [(0.0, 1.0)]
    first, last = min(at for at, _ in points), max(at for at, _ in points)
    lowest, highest = (math.floor(math.log10(min(y for _, y in points))), math.ceil(math.log10(max(y for _, y in points)) + 1e-9))
    lowest, highest = max(lowest, highest - 6), max(highest, lowest + 1)
    x, y = linear(first, last, LEFT, RIGHT), linear(lowest, highest, BOTTOM, TOP)
    heights = [
        (power, f"{10.0**power:,.{max(0, -power)}f}" if power > -4 else f"1e{power}") for power in range(lowest, highest + 1)
    ]
    parts = _frame(x, _ticks(first, last), y, heights, under)
    for kind, one in series:
        drawn = [(x(at), y(math.log10(value))) for at, value in one if value >= 10.0**lowest]
        parts.append(f'<polyline class="{kind}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in drawn)}"/>')
    return svg(BOTTOM + 32, label, [*parts, *_marks(marks, x, TOP - 4, BOTTOM)])


def swatch(kind: str) -> str:
    """Draw a patch of a colour for a legend."""
    return f'<svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" class="{kind}"/></svg>'
