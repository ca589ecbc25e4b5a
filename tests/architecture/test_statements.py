"""What statements are put together of: our own text alone. Values are parameters, wherever they come from."""

import ast
import re

import pytest

from .made_of import Program
from .source_tree import Module, product_modules

WORDS = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|ORDER BY|LIMIT|FROM|JOIN|RETURNING|GROUP BY|SET) ")
# What is put into statements there and cannot be followed, and why nobody's value can be in it.
EXPLAINED = {
    "matching/bulk.py": "Splink's text for the levels, and columns by their places",
    "matching/conditions.py": "the columns of comparisons, which are fields of a class of ours",
    "matching/hot_keys.py": "two numbers of a class of ours",
    "mdm/rewrapping.py": "tables by the names of a mapping of ours",
    "mdm/sql.py": "a table and its columns, which each caller writes out",
    "mdm/steps.py": "the name of a snapshot, as PostgreSQL has just given it",
    "stewardship/privacy_access.py": "tables and columns, as the catalogue names them",
    "stewardship/privacy_catalogue.py": "the same",
    "stewardship/queue.py": "conditions of a list of ours, one for each filter that is asked for",
    "webhooks/endpoints.py": "columns, which are the fields of a class of ours",
}


def _statements(module: Module) -> list[ast.JoinedStr]:
    return [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.JoinedStr)
        and any(isinstance(part, ast.Constant) and WORDS.search(part.value) for part in node.values)
    ]


def _foreign(modules: tuple[Module, ...]) -> dict[str, list[str]]:
    """The expressions in statements that are not made of our own text, by module."""
    parts = [
        (module, part.value)
        for module in modules
        for node in _statements(module)
        for part in node.values
        if isinstance(part, ast.FormattedValue)
    ]
    found: dict[str, list[str]] = {}
    for module, value in Program(modules).foreign(parts):
        found.setdefault(module.path, []).append(f"{value.lineno}: {ast.unparse(value)}")
    return found


def test_statements_are_made_of_our_own_text() -> None:
    found = _foreign(product_modules())
    assert {path: said for path, said in found.items() if path not in EXPLAINED} == {}
    assert EXPLAINED.keys() - found.keys() == set(), "explained, and not there any more"


FIND = "def find(asked):\n"
FOUND = [
    FIND + "    run(f'SELECT 1 FROM person WHERE name = {asked}')",
    FIND + "    run(f'SELECT 1 FROM person WHERE name = {asked.name}')",
    FIND + "    for one in asked:\n        run(f'DELETE FROM person WHERE name = {one}')",
    FIND + "    order = ORDER if asked is None else asked\n    run(f'SELECT 1 FROM person ORDER BY {order}')",
    FIND + "    run(f'SELECT 1 FROM person {_where(asked)}')\n\ndef _where(name):\n    return f'WHERE name = {name}'",
    FIND + "    run(f'SELECT 1 FROM person ORDER BY {asked}')\n\ndef ask(wish):\n    find(wish.order)",
    FIND + "    run(f'SELECT 1 FROM person ORDER BY {asked}')\n\ndef ask(wish):\n    find('name')\n    partial(find, wish)",
]
OURS = [
    FIND + "    order = 'name' if asked else 'name DESC'\n    run(f'SELECT 1 FROM person ORDER BY {order} LIMIT {MOST}')",
    FIND + "    run(f'SELECT 1 FROM person {_where(\"name\")}')\n\ndef _where(name):\n    return f'WHERE {name} = 1'",
    FIND + "    run(f'SELECT 1 FROM person ORDER BY {asked}')\n\ndef ask(wish):\n    find('name' if wish else ORDER)",
]


def _made_up(text: str) -> Module:
    return Module("mdm/made_up.py", text, ast.parse(text))


@pytest.mark.parametrize("text", FOUND)
def test_a_value_in_a_statement_is_found(text: str) -> None:
    assert _foreign((_made_up(text),))


@pytest.mark.parametrize("text", OURS)
def test_constants_and_choices_among_them_are_our_own(text: str) -> None:
    assert _foreign((_made_up(text),)) == {}
