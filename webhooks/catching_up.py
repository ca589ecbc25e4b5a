"""After a load: what an endpoint that was told of it by its `load.finished` alone must still be told, made in portions.

Of each golden record the latest version of the load, and of those before only such as moved records: whoever applies events by
their numbers ends where whoever was told of each ends. The deliveries are those of the events themselves. Never sends.
"""

import sqlalchemy as sa
from sqlmodel import Session

from webhooks.deliveries import hears

MOST_AT_ONCE = 5_000
# Less than an endpoint's rows in all, so that what happens meanwhile is made due beside a load of millions.
MOST_DUE = 2_000

_STEP = f"""
WITH left_over AS (
  SELECT c.*, (SELECT max(seq) FROM (
      SELECT seq FROM event WHERE load_id = c.load_id AND seq > c.reached_seq AND seq < c.until_seq
      ORDER BY seq LIMIT :most) AS next) AS upto
  FROM webhook_catch_up c JOIN webhook_endpoint e USING (endpoint_id)
  WHERE e.disabled_at IS NULL
    AND (SELECT count(*) FROM (SELECT FROM webhook_delivery d WHERE d.endpoint_id = c.endpoint_id AND d.state = 'due'
         LIMIT :room) AS held) < :room
  ORDER BY c.until_seq, c.endpoint_id LIMIT 20 FOR UPDATE OF c SKIP LOCKED),
made AS (
  INSERT INTO webhook_delivery (endpoint_id, seq, subject_id)
  SELECT ep.endpoint_id, ev.seq, ev.subject_id
  FROM left_over c JOIN webhook_endpoint ep USING (endpoint_id)
  JOIN event ev ON ev.load_id = c.load_id AND ev.seq > c.reached_seq AND ev.seq <= c.upto
  WHERE ev.type LIKE 'golden.%' AND {hears("ev")}
    AND (ev.body -> 'joined' <> '[]' OR ev.body -> 'left' <> '[]' OR NOT EXISTS (
      SELECT FROM event later
      WHERE later.subject_id = ev.subject_id AND later.seq > ev.seq AND later.seq < c.until_seq AND later.load_id = c.load_id
        AND {hears("later")}))
  ORDER BY ep.endpoint_id, ev.seq ON CONFLICT DO NOTHING RETURNING 1),
moved AS (
  UPDATE webhook_catch_up c SET reached_seq = o.upto FROM left_over o
  WHERE c.endpoint_id = o.endpoint_id AND c.until_seq = o.until_seq AND o.upto IS NOT NULL RETURNING 1),
over AS (
  DELETE FROM webhook_catch_up c USING left_over o
  WHERE c.endpoint_id = o.endpoint_id AND c.until_seq = o.until_seq AND o.upto IS NULL)
SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM moved)"""


def step(session: Session) -> bool:
    """Make the next deliveries of loads that endpoints were told of; whether there may be more to do."""
    _, moved = session.connection().execute(sa.text(_STEP), {"most": MOST_AT_ONCE, "room": MOST_DUE}).one()
    return bool(moved)
