"""The model: a versioned, fingerprinted file of m and u per level, frozen term frequencies, the prior and the lines in bits.

The only place where thresholds stand. Reads, checks and writes models; never trains, never scores. Term frequencies are kept
for values seen at least 20 times, as keyed hashes, so that a model holds nobody's e-mail; the rest share one floor.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from matching.comparisons import COMPARISONS, Comparison, extra_comparison
from matching.model_data import data_problem, report_problem

FORMAT = 1
LEAST_SEEN = 20
MOST_RUNGS = 100
DEFAULT_MODEL_PATH = Path(__file__).parent / "models" / "default.json"
# Weights are bits: prior included, so 0 is even odds. From the guard line, where one customer becomes more probable than two, a
# human is asked, and review pairs count as joined in the balanced figures. Below the component line a pair is no neighbour: parts
# join by an average at or above the guard line, so some pair between them is; lower ones join nothing but large components
# (at -6 bits a retailer of 6,000 customers had 5,900 more edges, and the same automatic partition). From the merge line what has
# grounds (matching.grounds) is merged: on simulated retailers 1 merged pair in 1,000 (clean) and 1 in 550 (typical) was wrong
# there, since grounds keep out what weighs as much for other reasons. Sure outweighs a contradiction.
COMPONENT_LINE_WEIGHT = 0.0
GUARD_LINE_WEIGHT = 0.0
MERGE_LINE_WEIGHT = 4.0
# Where policy asks for a rate of false merges no line is lower than the default, nor out of reach of what people's records weigh.
LEAST_MERGE_WEIGHT = MERGE_LINE_WEIGHT
MOST_LINE_WEIGHT = 30.0
SURE_WEIGHT = 10.0
WEIGHT_TOLERANCE = 1e-6
# An address is often made of its holder's name, so that it says again what the names have said: two John Smiths may well be
# john.smith at two providers, or john.smith1 and john.smith2 at one. Training never gives such an agreement more than this.
MOST_WEIGHT = {("email", "close"): 6.0, ("email", "same_local_part"): 3.0}
EDITED = (
    "fingerprint: the model was changed after it was written, and nobody has checked what it would do now. Take the file as it"
    " was written, or train another (mdm train); to move its lines, say in the policy what is asked of them (matching)"
)
_BY_NAME = {comparison.name: comparison for comparison in COMPARISONS}


class ModelError(ValueError):
    """A model that must not be used, with the place and the reason; never a personal value."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """How often a level is seen among matching pairs (m) and among others (u)."""

    m: float
    u: float

    @property
    def weight(self) -> float:
        """The match weight of the level in bits, as Splink computes it."""
        return math.log2(self.m / self.u)


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Term frequencies of one column: keyed hash → share of records, and the floor for every value not listed."""

    floor: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines in bits by which verdicts are given, and by which components and clusters are cut. All of it decides the outcome,
    so all of it is part of the model's fingerprint.

    Rung k of the ladder is `component + k * step`, for k up to `rungs`; the rung after the last counts stewards' matches only. A
    component holds at most `cap` distinct forms. From `sure` on the rest outweighs a name or a birth date that speaks against one
    person; by as much must a record be nearer to one of two people to be that one's. `most_holders` is the number of distinct
    name and birth date combinations up to which an identifier decides by itself. The guard line may lie above the merge line:
    then what has grounds merges, and of what lacks them only the surest is asked. Raises: ValueError.
    """

    component: float = COMPONENT_LINE_WEIGHT
    guard: float = GUARD_LINE_WEIGHT
    merge: float = MERGE_LINE_WEIGHT
    sure: float = SURE_WEIGHT
    step: float = 4.0
    rungs: int = 10
    cap: int = 200
    most_holders: int = 5

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.component, self.guard, self.merge, self.sure, self.step))):
            raise ValueError("lines must be finite")
        if not (self.component <= self.guard and self.component <= self.merge and self.component <= self.sure):
            raise ValueError("the component line must lie below all others")
        if self.step <= 0 or not 0 <= self.rungs <= MOST_RUNGS or self.cap < 1:
            raise ValueError(f"a ladder needs a positive step, at most {MOST_RUNGS} rungs and a cap of at least 1")

    @property
    def lowest(self) -> float:
        """Below it no weight gives another verdict than no match."""
        return min(self.guard, self.merge)

    @property
    def contradiction(self) -> float:
        """From here a human is asked about two records, or parts, that only a veto keeps apart."""
        return max(self.sure, self.guard, self.merge)

    def ladder(self) -> tuple[float | None, ...]:
        """List the rungs from the lowest; None, the last, stands for stewards' matches only."""
        return (*(self.component + rung * self.step for rung in range(self.rungs + 1)), None)


@dataclass(frozen=True)
class Model:
    """A model ready to score with. `parameters` stand beside `comparisons`, each in the order of its levels (strongest first).

    The fingerprint is computed where none is given, as for a model that is made of another; a file must bring its own.
    Raises: ModelError.
    """

    name: str
    comparisons: tuple[Comparison, ...]
    parameters: tuple[tuple[Parameter, ...], ...]
    prior: float
    salt: str = ""
    frequencies: Mapping[str, Frequencies] = field(default_factory=dict)
    lines: Lines = Lines()
    extras: tuple[tuple[str, str], ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    def __post_init__(self) -> None:
        _check(self)
        computed = _fingerprint(_body(self))
        if self.fingerprint not in {"", computed}:
            raise ModelError(EDITED)
        object.__setattr__(self, "fingerprint", computed)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.fingerprint == other.fingerprint

    @property
    def prior_weight(self) -> float:
        """The weight of a pair of which nothing is known."""
        return math.log2(self.prior / (1.0 - self.prior))

    def frequency(self, column: str, value: str) -> float:
        """Return the term frequency of a value; the floor when it is not frequent. Raises: KeyError for a column without."""
        known = self.frequencies[column]
        return known.values.get(term_hash(self.salt, column, value), known.floor)

    def is_frequent(self, column: str, value: str) -> bool:
        """Say whether a value is among those whose own frequency the model holds; False for a column without."""
        known = self.frequencies.get(column)
        return known is not None and term_hash(self.salt, column, value) in known.values

    def with_lines(self, lines: Lines) -> "Model":
        """Return the same model with other lines, and so another fingerprint."""
        return dataclasses.replace(self, lines=lines, fingerprint="")


def term_hash(salt: str, column: str, value: str) -> str:
    """Return the keyed hash under which a value's frequency is kept: 64 bits, as hex."""
    return hashlib.blake2b(f"{column}\x1f{value}".encode(), key=salt.encode()[:64], digest_size=8).hexdigest()


def match_probability(weight: float) -> float:
    """Turn a match weight into the probability that the pair matches."""
    if weight >= 0:
        return 1.0 / (1.0 + math.exp2(-weight))
    odds = math.exp2(max(weight, -1000.0))
    return odds / (1.0 + odds)


def default_model() -> Model:
    """Return the model that ships with this version, read once."""
    return _shipped()


@lru_cache(maxsize=1)
def _shipped() -> Model:
    return load_model(DEFAULT_MODEL_PATH)


def load_model(path: str | Path) -> Model:
    """Read a model file. Raises: ModelError naming what is wrong with it."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{Path(path).name}: not a readable JSON file") from error
    return model_from_json(data)


def dump_model(model: Model, indent: int | None = 1) -> str:
    """Write a model as JSON text; the same model gives the same text. Nobody reads it without lines: five times faster so."""
    return json.dumps(_body(model) | {"fingerprint": model.fingerprint}, indent=indent, sort_keys=True, ensure_ascii=True) + "\n"


def model_from_json(data: Any) -> Model:
    """Build a model from parsed JSON, which must bear its fingerprint. Raises: ModelError."""
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ModelError(f"format: expected a model of format {FORMAT}")
    if problem := data_problem(data):
        raise ModelError(f"model file: {problem}")
    if not data.get("fingerprint"):  # Without one, an edited file would be taken for a model that was just made.
        raise ModelError(EDITED)
    try:
        extras = tuple((str(name), str(kind)) for name, kind in data["extras"])
        comparisons, parameters = _read_comparisons(data["comparisons"], extras)
        frequencies = {
            column: Frequencies(float(entry["floor"]), {key: float(share) for key, share in entry["values"].items()})
            for column, entry in data["frequencies"].items()
        }
        return Model(
            name=str(data["name"]),
            comparisons=comparisons,
            parameters=parameters,
            prior=float(data["prior"]),
            salt=str(data["salt"]),
            frequencies=frequencies,
            lines=_read_lines(data["lines"]),
            extras=extras,
            report=data["report"],
            fingerprint=str(data["fingerprint"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"model file: missing or wrongly typed: {error}") from error


def _read_lines(data: Mapping[str, Any]) -> Lines:
    read: dict[str, Any] = {
        name: int(line) if name in {"rungs", "cap", "most_holders"} else float(line) for name, line in data.items()
    }
    try:
        return Lines(**read)
    except ValueError as error:
        raise ModelError(f"lines: {error}") from error


def comparisons_by_name(extras: Sequence[tuple[str, str]]) -> dict[str, Comparison]:
    """Return every comparison that a model with these extras (name, kind) may hold."""
    made = [extra_comparison(name, kind, position) for position, (name, kind) in enumerate(extras)]
    return _BY_NAME | {comparison.name: comparison for comparison in made}


def _read_comparisons(
    entries: Any, extras: tuple[tuple[str, str], ...]
) -> tuple[tuple[Comparison, ...], tuple[tuple[Parameter, ...], ...]]:
    known = comparisons_by_name(extras)
    comparisons, parameters = [], []
    for entry in entries:
        comparison = known.get(entry["name"])
        if comparison is None:
            raise ModelError(f"comparisons: {entry['name']!r} is not a comparison of this version")
        given = {level["name"]: Parameter(float(level["m"]), float(level["u"])) for level in entry["levels"]}
        wanted = [level.name for level in comparison.levels]
        if sorted(given) != sorted(wanted) or len(entry["levels"]) != len(wanted):
            raise ModelError(f"comparisons.{comparison.name}: needs exactly the levels {', '.join(wanted)}")
        comparisons.append(comparison)
        parameters.append(tuple(given[name] for name in wanted))
    return tuple(comparisons), tuple(parameters)


def _body(model: Model) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": model.name,
        "prior": model.prior,
        "lines": dataclasses.asdict(model.lines),
        "extras": [list(extra) for extra in model.extras],
        "comparisons": [
            {
                "name": comparison.name,
                "levels": [
                    {"name": level.name, "m": parameter.m, "u": parameter.u}
                    for level, parameter in zip(comparison.levels, parameters, strict=True)
                ],
            }
            for comparison, parameters in zip(model.comparisons, model.parameters, strict=True)
        ],
        "salt": model.salt,
        "frequencies": {
            column: {"floor": known.floor, "values": dict(known.values)} for column, known in sorted(model.frequencies.items())
        },
        "report": model.report,
    }


def _fingerprint(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _check(model: Model) -> None:
    """Refuse what cannot be a model: probabilities outside (0, 1], evidence that is not monotone, parts that nothing reads."""
    if problem := report_problem(model.report):
        raise ModelError(problem)
    if len({name for name, _ in model.extras}) != len(model.extras):
        raise ModelError("extras: one stands there twice")
    if not 0.0 < model.prior < 1.0:
        raise ModelError("prior: must lie between 0 and 1")
    if not model.comparisons:
        raise ModelError("comparisons: a model needs at least one")
    names = [comparison.name for comparison in model.comparisons]
    if len(set(names)) != len(names):
        raise ModelError("comparisons: one stands there twice")
    for comparison, parameters in zip(model.comparisons, model.parameters, strict=True):
        _check_comparison(comparison, parameters)
    columns = {level.frequency for one in comparisons_by_name(model.extras).values() for level in one.levels}
    for column, known in model.frequencies.items():
        if column not in columns:
            raise ModelError(f"frequencies.{column}: no comparison of this version weighs by it")
        if not all(0.0 < share <= 1.0 for share in (known.floor, *known.values.values())):
            raise ModelError(f"frequencies.{column}: shares must lie between 0 and 1")


def _check_comparison(comparison: Comparison, parameters: tuple[Parameter, ...]) -> None:
    where = f"comparisons.{comparison.name}"
    for level, parameter in zip(comparison.levels, parameters, strict=True):
        if not (0.0 < parameter.m <= 1.0 and 0.0 < parameter.u <= 1.0):
            raise ModelError(f"{where}.{level.name}: m and u must be above 0 and at most 1")
    weights = [parameter.weight for parameter in parameters]
    if comparison.correction:
        if any(weight > WEIGHT_TOLERANCE for weight in weights):
            raise ModelError(f"{where}: a correction may only take weight back")
        return
    for level, weight, weaker in zip(comparison.levels, weights, weights[1:], strict=False):
        if weaker > weight + WEIGHT_TOLERANCE:
            raise ModelError(f"{where}.{level.name}: not monotone, the level below it weighs more")
