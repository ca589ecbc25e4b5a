"""Clients of a service that is being wounded. Each owns some records and remembers what was acknowledged of them.

A client does one thing after another with a record, so that its memory says exactly what the service must hold in the end.
"""

import json
import random
import threading
import time
import uuid
from collections import Counter
from typing import Any
from urllib.parse import quote, urlencode

from sampledata.retailer import SimulatedRecord
from soak.http_client import IN_FLIGHT, Http, NotAcknowledged
from soak.population import Delivery, Held, Retailer

LARGEST_BATCH = 60
LONGEST_PAUSE_SECONDS = 0.25
CREATED, OK, CONFLICT = 201, 200, 409
JSON, NDJSON = "application/json", "application/x-ndjson"
IN_FLIGHT_SECONDS = 3.0
MOST_ASKED, MOST_SHOWN = 100, 1_000


class Client(threading.Thread):
    """One client. `told` are the golden ids it was told, `trouble` is what should not have been answered.

    Whoever holds `turn` keeps it from acting; what was under way is done then.
    """

    def __init__(self, http: Http, rng: random.Random, retailer: Retailer, records: list[SimulatedRecord]) -> None:
        super().__init__(daemon=True)
        self.http, self.rng, self.retailer = http, rng, retailer
        self.unsent = rng.sample(records, len(records))
        self.held: list[Held] = []
        self.told: set[uuid.UUID] = set()
        self.trouble: list[str] = []
        self.counts: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.turn = threading.Lock()

    def run(self) -> None:
        """Act until told to stop; what is under way then is brought to its end."""
        acts = {self.put: 8, self.come_late: 1, self.repeat: 1, self.batch: 2, self.rename: 1, self.look: 2}
        try:
            while not self.stopping.wait(self.rng.uniform(0.0, LONGEST_PAUSE_SECONDS)):
                with self.turn:
                    self.rng.choices(list(acts), list(acts.values()))[0]()
        except NotAcknowledged as given_up:
            self.trouble.append(f"not acknowledged: {given_up}")

    def chosen(self) -> Held:
        """A record that has been told of, or a new one."""
        if self.unsent and (not self.held or self.rng.random() < 0.4):
            record = self.unsent.pop()
            self.held.append(Held(record, record.key))
            return self.held[-1]
        return self.rng.choice(self.held)

    def news(self, one: Held) -> Delivery:
        """What the source says next of a record."""
        if not one.deliveries:
            return one.next(one.record.payload)
        if one.payload is not None and self.rng.random() < 0.15:
            return one.next(None)
        changed = self.retailer.revised(one.record.source, one.payload or one.record.payload, self.rng)
        return one.next(self.rng.choice((changed, changed, one.record.payload)))

    def put(self) -> None:
        """Tell the news of one record."""
        one = self.chosen()
        self.send(one, self.news(one))

    def come_late(self) -> None:
        """Tell an old version of one record."""
        one = self.chosen()
        late = one.late(self.retailer.revised(one.record.source, one.record.payload, self.rng), self.rng)
        if late:
            self.send(one, late)

    def repeat(self) -> None:
        """Tell one record again as it is."""
        one = self.chosen()
        self.send(one, one.again() if one.deliveries else self.news(one))

    def send(self, one: Held, delivery: Delivery) -> None:
        """Put or delete one record, waiting for its golden id now and then."""
        waited = self.rng.choice((0, 0, 0, 1.5))
        mark = {"source_version": delivery.version, "source_updated_at": delivery.at.isoformat(), "wait_seconds": waited}
        path = f"{self.path_of(one)}?{urlencode(mark)}"
        if delivery.payload is None:
            status, text = self.http.ask("DELETE", path)
        else:
            status, text = self.http.ask("PUT", path, json.dumps(delivery.payload).encode(), **{"Content-Type": JSON})
        self.counts["writes"] += 1
        if status not in (OK, CREATED):
            self.trouble.append(f"{one.record.source} {one.key} version {delivery.version} was answered {status}: {text[:300]!r}")
            return
        answer = json.loads(text)
        self.note(one, delivery, answer["status"])
        if answer["golden_id"]:
            self.told.add(uuid.UUID(answer["golden_id"]))

    def note(self, one: Held, delivery: Delivery, status: str) -> None:
        """Remember what was acknowledged; a version that is newer than all is never `superseded`."""
        if delivery.version > one.version and status == "superseded":
            self.trouble.append(f"{one.record.source} {one.key}: version {delivery.version} came after {one.version}, superseded")
        one.taken(delivery, status)

    def path_of(self, one: Held) -> str:
        """Where the record is put."""
        return f"/v1/sources/{one.record.source}/records/{quote(one.key, safe='')}"

    def batch(self) -> None:
        """Tell the news of many records in one request; lines that failed are sent again."""
        chosen = {id(one): one for one in (self.chosen() for _ in range(self.rng.randint(2, LARGEST_BATCH)))}
        lines = [(one, self.news(one)) for one in chosen.values()]
        while lines:
            body = b"".join(json.dumps(delivery.line()).encode() + b"\n" for _, delivery in lines)
            results = self.post_batch(body)
            self.counts += Counter(batches=1, writes=len(results))
            failed = []
            for result in results:
                one, delivery = lines[result["line"] - 1]
                if result["status"] == "failed":
                    failed.append((one, delivery))
                elif result["status"] == "rejected":
                    self.trouble.append(f"{one.record.source} {one.key}: {result['problem']}")
                else:
                    self.note(one, delivery, result["status"])
            lines = failed

    def post_batch(self, body: bytes) -> list[dict[str, Any]]:
        """Send a batch, half of them with an idempotency key; with a new one when the first died with its process."""
        headers = {"Content-Type": NDJSON}
        if self.rng.random() < 0.5:
            headers["Idempotency-Key"] = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        deadline = time.monotonic() + IN_FLIGHT_SECONDS
        while True:
            status, text = self.http.ask("POST", "/v1/records:batch", body, **headers)
            if status != CONFLICT or IN_FLIGHT not in text:
                break
            time.sleep(0.5)
            if time.monotonic() > deadline:
                self.counts["idempotency keys given up"] += 1
                del headers["Idempotency-Key"]
        if status != OK:
            self.trouble.append(f"a batch was answered {status}: {text[:300]!r}")
            return []
        return [json.loads(line) for line in text.splitlines()[:-1]]

    def rename(self) -> None:
        """Give a record another key; the old one is refused from then on."""
        one = self.chosen()
        if one.record.source == "erp" or not one.deliveries:  # Contacts name their company by its key.
            return
        old, path = one.again(), self.path_of(one)
        key = one.key + "~"
        status, answer = self.http.json(f"{path}:rekey", {"new_key": key})
        self.counts["renames"] += 1
        if status != OK:
            self.trouble.append(f"renaming {one.record.source} {one.key} was answered {status}: {answer}")
            return
        one.renamed(key)
        mark = urlencode({"source_version": old.version + 1})
        status, text = self.http.ask("PUT", f"{path}?{mark}", b"{}", **{"Content-Type": JSON})
        if status != CONFLICT or b"key_was_renamed" not in text:
            self.trouble.append(f"{one.record.source} {old.key} was renamed, a late put answered {status}: {text[:300]!r}")

    def look(self) -> None:
        """Ask for the golden ids of some records, then read one of all that were told: it must answer, whatever became of it."""
        known = [one for one in self.held if one.deliveries][-MOST_ASKED:]
        if not known:
            return
        asked = [{"source": one.record.source, "key": one.key} for one in known]
        status, answer = self.http.json("/v1/crosswalk:lookup", {"records": asked})
        items = answer.get("items", ())
        if status != OK or any(item["resolution"] in ("unknown", "quarantined") for item in items):
            self.trouble.append(f"a crosswalk lookup was answered {status}: {answer}"[:MOST_SHOWN])
        self.told |= {uuid.UUID(item["golden_id"]) for item in items if item["golden_id"]}
        self.counts["reads"] += 1
        if self.told:
            golden_id = self.rng.choice(sorted(self.told))
            status, _ = self.http.ask("GET", f"/v1/golden/{golden_id}")
            if status != OK:
                self.trouble.append(f"golden id {golden_id} was answered {status}")
