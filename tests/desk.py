"""What an integrator and a steward can do through the API, for tests; a worker is stood in for by `settle`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from kernel import db
from mdm import sql

from .resolution import Master

PROBLEM = "urn:customer-master:problem:"
GIVEN = ("Otto", "Ines", "Boris", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Irma", "Jonas", "Karin")
SURNAMES = ("Becker", "Duarte", "Katz", "Lindqvist", "Moreau", "Novak", "Oduya")
Record = dict[str, Any]
Name = tuple[str, str]


@dataclass
class Desk:
    """What an integrator and a steward can do. `numbers` makes customers and keys that nobody else has."""

    api: TestClient
    mdm: Master
    numbers: Iterator[int]

    def customer(self, **more: Any) -> Record:
        """Somebody who has nothing in common with anybody else."""
        at = next(self.numbers)
        given, surname = GIVEN[at % len(GIVEN)], SURNAMES[at % len(SURNAMES)]
        born = f"{1940 + at % 60}-{1 + at % 12:02}-{1 + at % 28:02}"
        mail = f"{given}.{surname}{at}@telefonica.net".lower()
        return {
            "given_name": given,
            "surname": f"{surname}-{surname[::-1].title()}",
            "birth_date": born,
            "emails": [mail],
            **more,
        }

    def put(self, person: Record, source: str = "pos", key: str = "", **marks: Any) -> Name:
        """Send a record and wait until it is resolved; its name."""
        name = (source, key or str(next(self.numbers)))
        answer = self.api.put(f"/v1/sources/{source}/records/{name[1]}", json=person, params=marks)
        assert answer.status_code in {200, 201, 202}, answer.text
        self.settle()
        return name

    def delete(self, name: Name, **marks: Any) -> None:
        """Say that the source has deleted a record."""
        assert self.api.delete(f"/v1/sources/{name[0]}/records/{name[1]}", params=marks).status_code < 300
        self.settle()

    def settle(self) -> None:
        """Do what workers owe."""
        self.mdm.drain()

    def where(self, *names: Name) -> list[str | None]:
        """The golden ids of records."""
        body = {"records": [{"source": source, "key": key} for source, key in names]}
        return [one.get("golden_id") for one in self.api.post("/v1/crosswalk:lookup", json=body).json()["items"]]

    def golden(self, golden_id: Any) -> Any:
        """What an id answers."""
        return self.api.get(f"/v1/golden/{golden_id}").json()

    def values(self, golden_id: Any) -> dict[str, Any]:
        """The golden values of an id, without provenance."""
        return {name: held["value"] for name, held in self.golden(golden_id)["golden"]["values"].items()}

    def send(self, path: str, body: Record, token: Any = None) -> tuple[int, str, Any]:
        """Post what a steward wants, with the token of its preview: status, problem code, answer."""
        token = token or self.api.post(f"{path}?dry_run=true", json=body).json().get("preview_token")
        answer = self.api.post(path, json=body | ({"preview_token": token} if token else {}))
        self.settle()
        told = answer.json()
        return answer.status_code, str(told.get("type", "")).removeprefix(PROBLEM), told

    def wish(self, verdict: str, left: Any, right: Any, **more: Any) -> Record:
        """The body of a decision. A side is a golden id, a record's name, or what the API takes."""
        return {"verdict": verdict, "left": side_of(left), "right": side_of(right), "reason": "They said so.", **more}

    def decide(self, verdict: str, left: Any, right: Any) -> str:
        """Decide, looked at first; the decision's id."""
        status, _, told = self.send("/v1/decisions", self.wish(verdict, left, right))
        assert status == 201, told
        return str(told["decision_id"])

    def refused(self, verdict: str, left: Any, right: Any) -> tuple[int, str]:
        """Why a decision is not even shown, or else not made."""
        body = self.wish(verdict, left, right)
        look = self.api.post("/v1/decisions?dry_run=true", json=body)
        if look.status_code != 200:
            return look.status_code, look.json()["type"].removeprefix(PROBLEM)
        return self.send("/v1/decisions", body, look.json()["preview_token"])[:2]

    def undo(self, decision_id: str) -> tuple[int, str]:
        """Take a decision back, looked at first."""
        return self.send(f"/v1/decisions/{decision_id}:undo", {"reason": "I was wrong."})[:2]

    def questions(self, *names: Name) -> list[str]:
        """Why stewards are asked about records now."""
        goldens = self.where(*names)
        with db.transaction() as session:
            found = sql.rows(session, "SELECT reason_code FROM task WHERE state = 'open' AND golden_ids && %s::uuid[]", [goldens])
        return [row[0] for row in found]

    def apart(self, *names: Name) -> bool:
        """Whether records live under an id of its own each."""
        return len(set(self.where(*names))) == len(names)

    def parted(self) -> tuple[Name, Name, Record]:
        """Two records that say the same, told apart by a steward; and what they say."""
        person = self.customer()
        one, other = self.put(person), self.put(person, "shop")
        (golden_id,) = set(self.where(one, other))
        self.decide("no_match", {**side_of(other), "golden_id": golden_id}, golden_id)
        assert self.apart(one, other)
        return one, other, person

    def joined(self) -> tuple[Name, Name, list[str | None], str]:
        """Two records of two people, matched by a steward: the records, their ids before, the decision."""
        one, other = self.put(self.customer()), self.put(self.customer(), "shop")
        ids = self.where(one, other)
        return one, other, ids, self.decide("match", one, other)


def side_of(of: Any) -> Record:
    """A side of a decision, from a golden id, a record's name, or what the API takes."""
    if isinstance(of, tuple):
        return {"records": [{"source": of[0], "key": of[1]}]}
    return of if isinstance(of, dict) else {"golden_id": of}
