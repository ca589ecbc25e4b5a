"""The row classes say of the schema what the migrations made of it."""

import pytest
from sqlalchemy import inspect
from sqlmodel import SQLModel

import consent.tables
import mdm.tables
import stewardship.tables
from kernel import db

ROWS = [
    one
    for module in (consent.tables, mdm.tables, stewardship.tables)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, SQLModel) and one is not SQLModel
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__tablename__)
def test_a_row_class_has_the_columns_of_its_table(database: str, row: type[SQLModel]) -> None:
    columns = inspect(db.engine(db.Role.OWNER)).get_columns(str(row.__tablename__))
    declared = {column.name for column in row.__table__.columns}  # type: ignore[attr-defined]  # Set by SQLModel.
    assert declared == {column["name"] for column in columns}
