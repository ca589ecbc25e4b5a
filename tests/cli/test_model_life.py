"""`mdm train` and `mdm model`: models are stored, listed, compared, watched; a bad one is refused and the old one stays."""

import json
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import model_choice, model_commands, model_life
from kernel import db
from kernel.errors import Invalid, MdmError, NotFound
from kernel.settings import Settings, configure, settings
from matching import passes
from matching.model import DEFAULT_MODEL_PATH, default_model, dump_model, model_from_json
from mdm import shadows, versions

from .. import resolution as master
from ..mdm.trainees import take_in
from ..resolution import POLICY, Master, query

ASKING = POLICY + "matching: {false_merge_rate: 0.0001, reviews_per_day: 500, records_per_day: 40}\n"


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start(ASKING)
    with db.transaction() as session:
        versions.current(session)
    return made


def run(*arguments: object) -> Result:
    app = typer.Typer()
    model_commands.register(app)
    model_life.register(app)
    for module in (model_commands, model_life):
        module.console.width = 200
    return CliRunner().invoke(app, [str(one) for one in arguments])


def said(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output or result.exception
    return result.output


def ruling() -> list[Any]:
    return query("SELECT model, count(*) OVER () FROM version_set WHERE is_current")


def refusal(*arguments: object) -> str:
    """Run what is refused; the model that rules must still rule, and no other be stored."""
    before = ruling(), query("SELECT fingerprint FROM model_version")
    result = run(*arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, MdmError)
    assert (ruling(), query("SELECT fingerprint FROM model_version")) == before
    return result.exception.detail


def test_a_trained_model_is_stored_told_and_rules_only_when_asked(mdm: Master, tmp_path: Path) -> None:
    take_in(mdm)
    before = ruling()
    told = said("train", "--name", "mine", "--output", tmp_path / "mine.json")
    assert "lines component +0.0, guard +0.0, merge +13.5" in told
    assert "of 240 records" in told
    assert "expected a day, 500 are settled" in told
    assert "left apart unasked" in told
    assert ruling() == before
    fingerprint = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))["fingerprint"]
    assert f"Stored as {fingerprint}. It does not rule yet: `mdm model diff current {fingerprint[:12]}` compares." in told
    assert "converged: yes" in told
    listed = [line.split() for line in said("model", "list").splitlines()]
    assert next(line for line in listed if line[0] == fingerprint[:12])[1:2] == ["mine"]
    assert next(line for line in listed if line[0] == default_model().fingerprint[:12])[-1] == "current"
    said("model", "use", fingerprint[:8])
    assert ruling() == [(fingerprint, 1)]
    assert "240" in said("model", "list")


def everybody_is_a_woman(_person: int, _copy: int, record: dict[str, Any]) -> None:
    record["gender"] = "female"


def one_customer_is_of_two_genders(_person: int, copy: int, record: dict[str, Any]) -> None:
    record["gender"] = ("female", "male")[copy]


def nobody_is_known_twice(person: int, copy: int, record: dict[str, Any]) -> None:
    chance = random.Random(2 * person + copy)
    record["surname"] = "".join(chance.choice("bcdfghklmnprst") + chance.choice("aeiou") for _ in range(4))
    record["birth_date"] = f"{chance.randint(1940, 1999)}-{chance.randint(1, 12):02}-{chance.randint(2, 28):02}"
    record["phones"] = [f"+3469{chance.randint(1_000_000, 9_999_999)}"]


def test_ten_records_train_nothing(mdm: Master) -> None:
    take_in(mdm, people=5)
    assert refusal("train") == "No model was trained: 10 records: at least 100 are needed. The current one stays."


def test_a_comparison_that_never_varies_trains_nothing(mdm: Master) -> None:
    take_in(mdm, change=everybody_is_a_woman)
    told = refusal("train", "--use")
    assert "gender never varies" in told
    assert "Take the field out of the mapping" in told


def test_a_comparison_that_is_not_monotone_trains_nothing(mdm: Master) -> None:
    take_in(mdm, change=one_customer_is_of_two_genders)
    assert "gender is not monotone" in refusal("train", "--use")


def test_records_without_a_customer_known_twice_train_nothing(mdm: Master) -> None:
    take_in(mdm, change=nobody_is_known_twice)
    assert "The current one stays" in refusal("train")


def test_an_em_that_did_not_converge_trains_nothing(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "EM_ROUNDS", 1)
    take_in(mdm)
    assert "EM did not converge" in refusal("train", "--use")


def test_columns_that_are_lacking_drop_out(mdm: Master) -> None:
    """No birth date anywhere, nor an address, an e-mail or a gender: it trains on the rest."""
    take_in(mdm, change=lambda _person, _copy, record: record.pop("birth_date"))
    told = said("train", "--format", "json")
    model = model_from_json(json.loads(told))
    for lacking in ("birth_date", "email", "address"):
        place = [one.name for one in model.comparisons].index(lacking)
        before = [one.weight for one in default_model().parameters[place]]
        assert [one.weight for one in model.parameters[place]] == pytest.approx(before, abs=0.05)


def not_monotone(data: Any) -> None:
    levels = data["comparisons"][1]["levels"]
    levels[0]["m"], levels[-1]["m"] = levels[-1]["m"], levels[0]["m"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data["lines"].update(merge=1.0), "Take the file as it was written, or train another (mdm train)"),
        (lambda data: data.update(fingerprint="", lines=data["lines"] | {"merge": 1.0}), "changed after it was written"),
        (not_monotone, "not monotone"),
        (lambda data: data["lines"].update(guard=math.inf), "must be finite"),
        (lambda data: data.update(report=[1]), "report: must be an object"),
        (lambda data: data["report"].update(records="many"), "report.records: must be a count"),
        (lambda data: data.update(name="\ud800"), "Unicode"),
    ],
    ids=["edited by hand", "without a fingerprint", "not monotone", "no line", "no report", "no count", "no text"],
)
def test_a_file_that_is_no_model_does_not_come_to_rule(mdm: Master, tmp_path: Path, change: Any, told: str) -> None:
    data = json.loads(DEFAULT_MODEL_PATH.read_text(encoding="utf-8"))
    change(data)
    refuse_everywhere(tmp_path, json.dumps(data), told)


def test_a_file_that_nobody_can_parse_does_not_come_to_rule(mdm: Master, tmp_path: Path) -> None:
    refuse_everywhere(tmp_path, "[" * 100_000, "edited.json: not a readable JSON file")


def refuse_everywhere(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "edited.json"
    path.write_text(text, encoding="utf-8")
    for arguments in (("use", path), ("shadow", path), ("diff", "default", path), ("show", path), ("card", path)):
        assert told in refusal("model", *arguments)


def test_counts_that_cannot_be_read_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    odd = replace(default_model(), report={"weights": {"bin_bits": 0.5}}, fingerprint="")
    path.write_text(dump_model(odd), encoding="utf-8")
    assert "household" in said("model", "show", path)
    said("model", "card", path, "--output", tmp_path / "card.html")


def test_a_model_is_shown() -> None:
    assert "household" in said("model", "show")


def other_model(tmp_path: Path, guard: float = 4.0, merge: float = 10.0) -> Path:
    """The shipped model, a bit and a half lighter where a gender agrees, and with another guard line."""
    shipped = default_model()
    place = [one.name for one in shipped.comparisons].index("gender")
    exact, *weaker = shipped.parameters[place]
    parameters = list(shipped.parameters)
    parameters[place] = (replace(exact, m=exact.m / 2.0**1.2), *weaker)
    lines = replace(shipped.lines, guard=guard, merge=merge)
    other = replace(shipped, name="other", parameters=tuple(parameters), lines=lines, fingerprint="")
    path = tmp_path / "other.json"
    path.write_text(dump_model(other), encoding="utf-8")
    return path


def words(text: str) -> list[Sequence[str]]:
    return [line.split() for line in text.splitlines()]


def test_models_are_compared_by_what_they_say_and_on_stored_pairs(mdm: Master, tmp_path: Path) -> None:
    take_in(mdm, people=30)
    told = words(said("model", "diff", "current", other_model(tmp_path)))
    assert ["guard", "line", "+0", "→", "+4"] in told
    assert next(line for line in told if line[:2] == ["gender", "exact"])[-1] == "-1.2"
    assert any("candidate" in line and "records:" in line for line in told)


def test_no_stored_records_are_tried_when_none_are_asked_for(mdm: Master, tmp_path: Path) -> None:
    told = said("model", "diff", "current", other_model(tmp_path), "--records", "0")
    assert "guard line" in told
    assert "tried" not in told
    assert "candidate" not in told


def test_without_a_database_models_are_compared_by_what_they_say(tmp_path: Path) -> None:
    before = settings()
    configure(Settings(database_url=None, secret_key=settings().secret_key))
    try:
        told = said("model", "diff", "default", other_model(tmp_path))
        assert model_choice.in_force() is None
    finally:
        configure(before)
    assert "gender" in told
    assert "No stored records were tried" in told


def test_a_shadow_is_begun_reported_and_ended(mdm: Master, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="name one"):
        raise run("model", "shadow").exception or AssertionError("not refused")
    take_in(mdm, people=30)
    mdm.drain()
    before = ruling()
    assert "decides nothing" in said("model", "shadow", other_model(tmp_path, 200.0, 210.0))
    shadows.Watcher(db.transaction, mdm.resolver.shelf).watch_stored()
    told = said("model", "shadow")
    assert told.startswith("other (")
    assert "with the same verdict" in told
    assert "match, then no_match:" in told
    ids = query("SELECT record_a::text, record_b::text FROM shadow_example WHERE verdict = 'match'")
    assert sum(f"{one}  {other}" in told for one, other in ids) == 5
    assert "shadow" in said("model", "list")
    assert "has ended" in said("model", "shadow", "--stop")
    assert "There was no shadow" in said("model", "shadow", "--stop")
    assert ruling() == before


def test_a_name_of_no_model_is_told(mdm: Master) -> None:
    assert isinstance(run("model", "show", "feedbeef").exception, NotFound)
    gone = run("model", "show", "gone.json").exception
    assert isinstance(gone, Invalid)
    assert gone.code == "bad_model"
