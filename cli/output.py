"""The forms in which a command prints its figures."""

from enum import StrEnum


class Output(StrEnum):
    """How figures are printed."""

    TABLE = "table"
    JSON = "json"
