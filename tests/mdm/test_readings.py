"""A row is shown as it is written and as it is understood."""

from matching.standardize import Context, standardize
from mdm.readings import Reading, readings

ROW = {
    "surname": "GARCIA LOPEZ",
    "given_name": "maria",
    "birth_date": "03/05/1980",
    "phones": [{"value": "600 123 123"}],
    "emails": [{"value": "ann@lee"}],
    "addresses": [{"line1": "12 High St", "city": "Madrid"}],
    "extras": {"tier": "gold"},
    "language": "xx-nothing",
}


def test_each_attribute_stands_as_written_and_as_understood() -> None:
    found = {one.attribute: one for one in readings(ROW, standardize(ROW, Context("ES", "DMY")))}
    assert found["birth_date"] == Reading("birth_date", "03/05/1980", "1980-05-03")
    assert found["phones"].understood == "+34600123123"
    assert found["name"].written == "maria GARCIA LOPEZ"
    assert found["addresses"].written == "12 High St, Madrid"
    assert list(found)[:2] == ["name", "birth_date"]


def test_what_cannot_be_used_is_not_understood() -> None:
    row = {"birth_date": "yesterday"}
    assert readings(row, standardize(row, Context())) == [Reading("birth_date", "yesterday", None)]
