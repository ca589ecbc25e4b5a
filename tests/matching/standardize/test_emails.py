"""E-mail addresses: the table, and what one field may hold."""

from importlib.metadata import version
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.standardize import STANDARDIZER_VERSION, email_tables
from matching.standardize.emails import LONGEST_LIST, email_key, read_emails
from sampledata.locales import locales

from .strategies import EXAMPLES, texts
from .tables import rows

addresses = st.builds(
    "{}@{}{}".format, st.text("ab.+-'/<>\"; ", max_size=8), texts, st.sampled_from(["", ".de", ".com", "@gmail.com"])
)


@pytest.mark.parametrize(("field", "expected"), rows("emails"))
def test_emails(field: str, expected: list[Any]) -> None:
    read, _ = read_emails(field)
    assert [[value, key, list(flags)] for value, key, flags in read] == expected


def test_a_distribution_list_is_cut_and_said_so() -> None:
    read, codes = read_emails(";".join(f"a{number}@b.de" for number in range(LONGEST_LIST + 1)))
    assert len(read) == LONGEST_LIST
    assert "too_many_values" in codes


def test_the_key_of_a_field_is_its_first_address() -> None:
    assert email_key("J.Smith@gmail.com, info@acme.de") == "jsmith@gmail.com"
    assert email_key("info@acme.de") is None
    assert email_key("") is None


def test_the_list_of_disposable_domains_is_the_one_of_this_standardizer() -> None:
    """Another list makes other standard forms: whoever moves the package moves STANDARDIZER_VERSION, then this line."""
    assert (STANDARDIZER_VERSION, version("disposable-email-domains")) == ("5", "0.0.293")


def test_the_list_of_disposable_domains_spares_where_people_have_their_mail() -> None:
    """No domain of the simulated customers of sixteen countries is in it, and no relay: those have a flag of their own."""
    used = {domain for locale in locales() for domain in locale.mail_domains.items}
    assert len(used) > 60
    assert used.isdisjoint(email_tables.DISPOSABLE)
    assert email_tables.RELAYS.isdisjoint(email_tables.DISPOSABLE)
    assert len(email_tables.DISPOSABLE) > 5_000


@given(st.one_of(texts, addresses))
@settings(max_examples=EXAMPLES)
def test_reading_is_total_and_idempotent(text: str) -> None:
    read, _ = read_emails(text)
    for value, key, flags in read:
        assert read_emails(value)[0] == ((value, key, flags),)
        assert (key is None) == bool(flags)


@pytest.mark.parametrize(
    "domain",
    ["gmial.com", "gmai.com", "gamil.com", "gmail.con", "gmail.co", "gmail.de", "hotmial.com", "hotmail.cmo", "yaho.com",
     "yahooo.de", "outlok.com", "icloud.co", "iclod.com", "acme.con", "web.ed", "protonmial.com"],
)  # fmt: skip
def test_a_likely_slip_of_the_domain_is_noted_and_kept(domain: str) -> None:
    read, codes = read_emails(f"anna@{domain}")
    assert read == ((f"anna@{domain}", f"anna@{domain}", ()),)
    assert codes == ("domain_typo",)


@pytest.mark.parametrize(
    "domain",
    ["gmail.com", "googlemail.com", "hotmail.com", "hotmail.fr", "outlook.de", "yahoo.co.jp", "mail.com", "email.cz", "ymail.com",
     "icloud.com", "gmx.de", "web.de", "t-online.de", "orange.fr", "libero.it", "acme.co", "example.org"],
)  # fmt: skip
def test_what_is_somebodys_domain_is_no_slip(domain: str) -> None:
    assert "domain_typo" not in read_emails(f"anna@{domain}")[1]


def test_an_address_written_for_robots_is_noted() -> None:
    assert read_emails("bob(at)acme.de")[1] == ("respelled",)
