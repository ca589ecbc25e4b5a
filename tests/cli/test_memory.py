"""The memory of DuckDB: what the settings take is what the bulk engine takes, though neither may read the other's."""

import pytest
import typer
from pydantic import ValidationError

from cli.memory import memory_of
from kernel.settings import Settings
from matching.engine import DEFAULT_MEMORY_LIMIT, is_memory_limit


def test_both_have_one_default() -> None:
    assert Settings.model_fields["bulk_memory_limit"].default == DEFAULT_MEMORY_LIMIT


@pytest.mark.parametrize("text", ["4GB", "512 MB", "1.5gib", " 2TB ", "4", "GB", "-1GB", "4 GBs", "4  GB", ""])
def test_both_take_the_same_sizes(text: str) -> None:
    try:
        Settings(bulk_memory_limit=text)
    except ValidationError:
        assert not is_memory_limit(text)
    else:
        assert is_memory_limit(text)


def test_what_is_asked_for_goes_before_the_setting() -> None:
    assert memory_of("2GB") == "2GB"
    with pytest.raises(typer.BadParameter, match="such as 4GB"):
        memory_of("plenty")
