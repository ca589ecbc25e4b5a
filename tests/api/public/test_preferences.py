"""The preference page: what was changed on it counts at once, what was left alone is no act, and a link goes no further."""

import re
from typing import Any

from starlette.testclient import TestClient

from ...resolution import MARIA, Master
from ..conftest import Api
from ..v1.test_consents import EMAIL, GIVEN, POINT, WITHDRAWN, check, merged, record
from .test_unsubscribe import entries, link

PREFERENCES = {"kind": "preferences", "contact_point": POINT, "brand": "main", "record": GIVEN["record"]}
MARKETING, NEWSLETTER = "email:marketing", "email:newsletter"
TICKED = re.compile(r'value="(\S+)" checked')


def ticked(public: TestClient, path: str) -> set[str]:
    answer = public.get(path)
    assert answer.status_code == 200, answer.text
    return set(TICKED.findall(answer.text))


def save(public: TestClient, path: str, shown: list[str], want: list[str], act: str = "save") -> None:
    answer = public.post(path, data={"act": act, "shown": shown, "want": want})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path.rsplit('/', 1)[1]}?saved=1")
    assert 'role="status"' in public.get(f"{path}?saved=1").text


def test_what_is_ticked_is_given_and_what_is_not_is_withdrawn(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    path = link(api, **PREFERENCES)["path"]
    assert (ticked(public, path), entries()) == (set(), 0)
    save(public, path, [], [NEWSLETTER])
    assert check(api, golden_id=golden_id, purpose="newsletter")["answer"] == "allowed"
    assert check(api, golden_id=golden_id)["answer"] == "unknown"
    assert ticked(public, path) == {NEWSLETTER}
    (told,) = api.get(f"/v1/golden/{golden_id}/consents").json()["entries"]
    assert (told["origin"], told["method"], told["notice"]) == ("subject", "preference_centre", "preference-page-1")
    save(public, path, [NEWSLETTER], [])
    assert check(api, golden_id=golden_id, purpose="newsletter")["answer"] == "denied"
    assert ticked(public, path) == set()


def test_some_of_the_whole_may_stay(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    path = link(api, **PREFERENCES)["path"]
    everything = ticked(public, path)
    assert {MARKETING, NEWSLETTER} < everything
    save(public, path, [MARKETING], [NEWSLETTER])
    assert check(api, golden_id=golden_id)["answer"] == "denied"
    assert check(api, golden_id=golden_id, purpose="newsletter")["answer"] == "allowed"
    assert check(api, golden_id=golden_id, purpose="offers")["answer"] == "denied"


def test_what_was_left_alone_is_no_act(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    path = link(api, **PREFERENCES)["path"]
    shown = sorted(ticked(public, path))
    record(api, WITHDRAWN)  # Said elsewhere, while the page stood open.
    save(public, path, shown, shown)
    assert (check(api, golden_id=golden_id)["answer"], entries()) == ("denied", 2)


def test_nothing_at_all_is_one_button(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    path = link(api, **{**PREFERENCES, "record": {"source": "shop", "key": "1"}})["path"]
    shown = sorted(ticked(public, path))
    save(public, path, shown, shown, act="nothing")
    for purpose in ("marketing", "newsletter", "surveys"):
        assert check(api, golden_id=golden_id, purpose=purpose, contact_point=POINT)["answer"] == "denied"


def test_a_link_goes_for_what_it_names_and_no_further(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    path = link(api, **PREFERENCES, purpose="newsletter", channel="email")["path"]
    save(public, path, [], [MARKETING, NEWSLETTER, "sms:newsletter", "email:service", "email", "x:y"])
    assert entries() == 1
    assert check(api, golden_id=golden_id)["answer"] == "unknown"
    assert public.post(path, content=b"\xff\xfe").status_code == 303
    assert public.post(path, content=b"a" * 30_000).status_code == 413
    assert entries() == 1


def test_of_two_customers_with_one_address_a_consent_permits_nothing(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    son = {**MARIA, "given_name": "Pablo", "surname": "Ruiz Vega", "birth_date": "2001-01-01", "phones": [], "addresses": []}
    Master(policy).put("pos", "2", son)
    Master(policy).drain()
    path = link(api, **{**PREFERENCES, "record": None}, golden_id=golden_id)["path"]
    save(public, path, [], [MARKETING])
    assert check(api, golden_id=golden_id)["answer"] == "unknown"
    assert ticked(public, path) == set()


def test_the_page_says_whose_it_is_and_no_more(api: Api, public: TestClient, policy: Any) -> None:
    merged(policy)
    path = link(api, **PREFERENCES)["path"]
    text = public.get(path).text
    assert "m…@telefonica.net" in text
    assert not any(one in text for one in (EMAIL, "Maria", "Garcia", "<script", "style="))
    for source in ("pos", "shop"):
        Master(policy).put(source, "1", {**MARIA, "emails": ["new@example.es"]})
    Master(policy).drain()
    assert "no longer know this contact" in public.get(path).text
    save(public, path, [MARKETING], [NEWSLETTER])
    assert check(api, contact_point=POINT)["answer"] == "denied"
    assert check(api, contact_point=POINT, purpose="newsletter")["answer"] == "denied"


def test_how_a_customer_wants_it_is_chosen_on_the_page(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    topics = {"record": GIVEN["record"], "key": "topics", "value": ["shoes", "toys"]}
    assert api.post("/v1/preferences", json={"preferences": [topics]}).status_code == 201
    path = link(api, **PREFERENCES)["path"]
    assert 'value="toys" checked' in public.get(path).text
    form = {"act": "save", "language": "es", "was_language": "", "frequency": "weekly", "was_frequency": ""}
    shown = {"topics": "shown", "was_topic": ["shoes", "toys"], "topic": ["shoes"]}
    for _ in range(2):
        assert public.post(path, data={**form, **shown}).status_code == 303
    told = {one["key"]: one for one in api.get(f"/v1/golden/{golden_id}/preferences").json()["preferences"]}
    assert {key: one["value"] for key, one in told.items()} == {"language": "es", "frequency": "weekly", "topics": ["shoes"]}
    assert (told["language"]["origin"], told["language"]["method"]) == ("subject", "preference_centre")
    text = public.get(path).text
    assert '<option value="es" selected>' in text
    assert '<option value="weekly" selected>' in text
    public.post(path, data={"act": "save", "language": "xx", "was_language": "es", "frequency": "", "was_frequency": "weekly"})
    told = {one["key"]: one["value"] for one in api.get(f"/v1/golden/{golden_id}/preferences").json()["preferences"]}
    assert told == {"language": "es", "topics": ["shoes"]}
