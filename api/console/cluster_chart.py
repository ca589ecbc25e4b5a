"""Where the parts of a cluster's picture stand: records on a circle, links between them, in whole units of the drawing. Pure.

Nothing is told by place or colour alone: links differ in their line and mark, and the table beside the picture says all of it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from stewardship.clusters import Cluster, Link, Node, Tie

RADIUS, LEAST_RING, SPACE, EDGE = 13, 120, 30, 46
MOST_LABELLED = 24  # Links whose bits stand in the picture: more would cover each other.
TONES = 3
# Where on its line a mark or a label may stand, the middle first: it takes the place that is farthest from all others.
SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)
HALF_LETTER = 3.3  # Units of the drawing.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Dot:
    """A record: its middle, the letter of its customer and where that stands, and the tone of the customer."""

    node: Node
    x: int
    y: int
    letter: str
    letter_x: int
    letter_y: int
    tone: int


@dataclass(frozen=True, slots=True)
class Line:
    """A link from middle to middle. `style`: how it is drawn; `label` stands at the mark, where it has one."""

    link: Link
    ends: tuple[int, int, int, int]
    x: int
    y: int
    style: str
    label: str
    is_weakest: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A square of so many units, with what stands in it."""

    size: int
    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    cluster: Cluster
    names: Mapping[UUID, str]

    def name(self, node: Node) -> str:
        """What the customer of a record is called."""
        return self.names.get(node.golden_id, "no name") if node.golden_id else "no golden record"


def letter(customer: int) -> str:
    """Name a customer of the picture: A to Z, then AA."""
    return (LETTERS[customer // 26 - 1] if customer >= 26 else "") + LETTERS[customer % 26]


def draw(cluster: Cluster, names: Mapping[UUID, str]) -> Chart:
    """Place a cluster. Records of one customer stand together; a circle of many is larger, so that none covers another."""
    count = len(cluster.nodes)
    ring = max(LEAST_RING, math.ceil(count * SPACE / math.tau))
    middle = ring + EDGE
    dots = [_dot(node, at * math.tau / count - math.pi / 2, ring, middle) for at, node in enumerate(cluster.nodes)]
    lines: list[Line] = []
    for link in cluster.links:
        lines.append(_line(link, dots, lines, cluster))
    return Chart(2 * middle, tuple(dots), tuple(lines), cluster, names)


def _dot(node: Node, angle: float, ring: int, middle: int) -> Dot:
    x, y = (round(middle + ring * turn(angle)) for turn in (math.cos, math.sin))
    out_x, out_y = (round(middle + (ring + 2 * RADIUS) * turn(angle)) for turn in (math.cos, math.sin))
    return Dot(node, x, y, letter(node.customer), out_x, out_y, node.customer % TONES)


def _line(link: Link, dots: list[Dot], before: list[Line], cluster: Cluster) -> Line:
    one, other = dots[link.one.place - 1], dots[link.other.place - 1]
    is_weakest, is_labelled = link is cluster.weakest, len(cluster.links) <= MOST_LABELLED
    at = [(round(one.x + (other.x - one.x) * share), round(one.y + (other.y - one.y) * share)) for share in SHARES]
    taken = [(dot.x, dot.y) for dot in dots] + [(line.x, line.y) for line in before] if is_labelled else []
    told = "" if link.weight is None else f"{link.weight:+.1f}"
    label = f"weakest {told}" if is_weakest else told if is_labelled else ""
    x, y = max(at, key=lambda place: min((_gap(place, held, len(label)) for held in taken), default=0.0))
    kind = "against" if link.tie is Tie.AGAINST else "doubt" if link.tie is Tie.REVIEW else "for"
    style = f"{kind} said" if link.is_steward else kind
    return Line(link, (one.x, one.y, other.x, other.y), x, y, style, label, is_weakest)


def _gap(place: tuple[int, int], held: tuple[int, int], letters: int) -> float:
    """How far a label of so many letters, with its middle at a place, is from what stands elsewhere."""
    return math.hypot(max(0.0, abs(place[0] - held[0]) - letters * HALF_LETTER), place[1] - held[1])
