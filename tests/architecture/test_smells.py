"""What import contracts cannot see: one place to commit, one place to send, no SQL at the edges, no long files, no mocks."""

import ast
import re

import pytest

from .source_tree import PACKAGES, ROOT, FunctionNode, Module, calls, functions, product_modules, statements, suite_modules

LONGEST_FILE_LINES = 350
LONGEST_FUNCTION_LINES = 60
MOST_EDGE_STATEMENTS = 8
ROUTE_DECORATORS = {"get", "put", "post", "delete", "patch", "api_route", "task", "hot_route"}
SQL = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|WITH \w+ AS|COPY \w+|LOCK TABLE|NOTIFY|LISTEN)\b")
PERSONAL = {
    "given_name", "surname", "email", "emails", "phone", "phones", "birth_date", "address", "payload", "value", "values",
    "source_key", "national_id", "display_name", "name_text", "raw",
}  # fmt: skip


def _found(modules: tuple[Module, ...], *names: str) -> list[str]:
    return [f"{module.path}:{call.lineno}" for module in modules for name, call in calls(module.tree) if name in names]


def test_only_kernel_db_commits() -> None:
    outside = tuple(module for module in product_modules() if module.path != "kernel/db.py")
    assert _found(outside, "commit", "rollback") == []


def test_only_the_relay_sends_to_the_broker() -> None:
    outside = tuple(module for module in product_modules() if module.path != "workers/relay.py")
    assert _found(outside, "send_task", "apply_async", "delay") == []


def test_commands_speak_for_whoever_gives_them() -> None:
    """Under the name of a command nobody could tell who did it, and one person would be as many as there are commands."""
    assert _found(tuple(module for module in product_modules() if module.package == "cli"), "local") == []


def test_edges_hold_no_sql() -> None:
    edges = [module for module in product_modules() if module.package in {"api", "workers", "cli"}]
    found = [
        f"{module.path}:{node.lineno}"
        for module in edges
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
    assert found == []


def _is_edge(function: FunctionNode) -> bool:
    targets = [node.func if isinstance(node, ast.Call) else node for node in function.decorator_list]
    return any(isinstance(target, ast.Attribute) and target.attr in ROUTE_DECORATORS for target in targets)


def test_routes_and_jobs_are_thin() -> None:
    edges = [module for module in product_modules() if module.path.startswith(("api/v1/", "api/pages/", "workers/jobs"))]
    fat = [
        f"{module.path}:{function.name} has {statements(function)} statements"
        for module in edges
        for function in functions(module.tree)
        if _is_edge(function) and statements(function) > MOST_EDGE_STATEMENTS
    ]
    assert fat == []


def test_thresholds_live_in_the_model() -> None:
    """A line in bits anywhere else would let two paths decide differently about one pair."""
    names = re.compile(r"(merge_line|guard_line|component_line|match_threshold|_THRESHOLD_WEIGHT)", re.IGNORECASE)
    found = [
        f"{module.path}:{node.lineno}"
        for module in product_modules()
        if module.path != "matching/model.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.keyword) and _binds_number(node, names)
    ]
    assert found == []


def _binds_number(node: ast.Assign | ast.AnnAssign | ast.keyword, names: re.Pattern[str]) -> bool:
    single = getattr(node, "target", None) or ast.Name(getattr(node, "arg", "") or "")
    targets = node.targets if isinstance(node, ast.Assign) else [single]
    value = node.value.operand if isinstance(node.value, ast.UnaryOp) else node.value
    is_number = isinstance(value, ast.Constant) and isinstance(value.value, int | float)
    return is_number and any(isinstance(target, ast.Name) and names.search(target.id) for target in targets)


def test_files_and_functions_stay_short() -> None:
    long_files = [m.path for m in (*product_modules(), *suite_modules()) if m.text.count("\n") > LONGEST_FILE_LINES]
    long_functions = [
        f"{module.path}:{function.name}"
        for module in product_modules()
        for function in functions(module.tree)
        if (function.end_lineno or 0) - function.lineno + 1 > LONGEST_FUNCTION_LINES
    ]
    assert (long_files, long_functions) == ([], [])


def test_no_personal_values_in_log_calls() -> None:
    """Log calls may name ids, counts and codes; a keyword that holds a personal value is refused by its name."""
    found = [
        f"{module.path}:{call.lineno} {keyword.arg}"
        for module in product_modules()
        for name, call in calls(module.tree)
        if name in {"debug", "info", "warning", "error", "exception", "critical"} and isinstance(call.func, ast.Attribute)
        for keyword in call.keywords
        if keyword.arg in PERSONAL
    ]
    assert found == []


def test_only_settings_reads_the_environment() -> None:
    found = [
        f"{module.path}:{node.lineno}"
        for module in product_modules()
        if module.path != "kernel/settings.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert found == []


@pytest.mark.parametrize("name", ["Mock", "MagicMock", "AsyncMock", "create_autospec", "skip", "skipif", "xfail", "importorskip"])
def test_tests_neither_mock_nor_skip(name: str) -> None:
    found = _found(suite_modules(), name)
    marks = [
        f"{module.path}:{node.lineno}"
        for module in suite_modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == name
    ]
    assert found + marks == []


def test_tests_use_no_other_database() -> None:
    others = re.compile(r"sqlite://(?!/x)|create_all\(|unittest\.mock|fakeredis")
    found = [m.path for m in suite_modules() if m.path != "tests/architecture/test_smells.py" and others.search(m.text)]
    assert found == []


def test_every_suppression_says_why() -> None:
    bare = re.compile(r"#\s*(noqa|type: ignore)(:\s*[A-Z0-9, ]+|\[[a-z-, ]+\])?\s*$", re.MULTILINE)
    found = [
        f"{m.path}:{m.text[: hit.start()].count(chr(10)) + 1}"
        for m in (*product_modules(), *suite_modules())
        for hit in bare.finditer(m.text)
    ]
    assert found == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_owns(package: str) -> None:
    silent = [m.path for m in product_modules() if m.package == package and m.text.strip() and not ast.get_docstring(m.tree)]
    assert silent == []


def test_the_kernel_stays_small() -> None:
    assert len([m for m in product_modules() if m.package == "kernel" and not m.path.endswith("__init__.py")]) <= 10


def test_alembic_folder_does_not_hide_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
