"""Latin letters as passports have them; expected spellings are those in use for these names and places."""

from pathlib import Path

import pytest
import yaml

from sampledata.locales import locales
from sampledata.scripts import Readings, latin

SPELT = yaml.safe_load(Path(__file__).with_name("scripts.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("native", "expected", "reason"), SPELT)
def test_words_are_spelt_as_passports_spell_them(native: str, expected: str, reason: str) -> None:
    assert latin(native) == expected, reason


def test_the_longest_reading_goes_first() -> None:
    assert Readings({"山": "Yama", "山田": "Yamada", "町": "-cho"}).latin("山田町 12") == "Yamada-cho 12"


def test_every_table_of_a_native_script_can_be_written_in_latin_letters() -> None:
    for locale in locales():
        if locale.own_script:
            words = (*locale.given["female"].items, *locale.given["male"].items, *locale.surnames.items, *locale.streets.items)
            cities = (city.name for city in locale.cities)
            left = {word for word in (*words, *cities, *locale.company_words, *locale.trades) if not locale.latin(word).isascii()}
            assert left == set()


def test_there_are_locales_of_three_native_scripts() -> None:
    assert {locale.language for locale in locales() if locale.own_script} == {"el", "uk", "ja"}
