"""Which expressions are made of our own text alone: literals, constants, and names that never hold anything else.

A parameter is our own text when every call in the product gives it our own text. Whatever this cannot follow is not ours.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from .source_tree import FunctionNode, Module

CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
# What of our own text gives our own text again.
TEXT_METHODS = {"join", "format", "strip", "replace", "items", "keys", "values"}
TEXT_FUNCTIONS = {"enumerate", "len", "sorted", "str", "text", "tuple", "zip"}


Name = tuple[int, str]  # The scope by the identity of its node, and what it is called there.
RETURNED = 0  # In place of a scope: what functions of that name return.


class Ours:
    """Follows the expressions of one module; names are believed to be ours until something else is found in one."""

    def __init__(self, module: Module, among: "Program") -> None:
        self._module, self._among = module, among
        self._function_of = dict(_inside(module.tree, None))
        self.believed: dict[Name, bool] = {}
        self._scopes: dict[int, ast.AST] = {}

    def holds(self, node: ast.AST | None) -> bool:
        """Whether an expression is made of our own text alone."""
        match node:
            case None | ast.Constant():
                return True
            case ast.Name(id=name):
                return bool(CONSTANT.fullmatch(name)) or self._name(node, name)
            case ast.Attribute(attr=name):
                return bool(CONSTANT.fullmatch(name))
            case ast.Call():
                return self._call(node)
        parts = _parts(node)
        return parts is not None and all(map(self.holds, parts))

    def _call(self, call: ast.Call) -> bool:
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        if not all(map(self.holds, given)):
            return False
        match call.func:
            case ast.Attribute(value=ast.Name(id=name)) if CONSTANT.fullmatch(name):
                return True
            case ast.Attribute(attr=name, value=value) if name in TEXT_METHODS:
                return self.holds(value)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in TEXT_FUNCTIONS:
                return True
            case ast.Name(id=name) | ast.Attribute(attr=name, value=ast.Name()):
                return self.believed.setdefault((RETURNED, name), True)
        return False

    def _gives(self, name: str) -> bool:
        """Whether all that functions of a name return is ours; their parameters are judged by their calls."""
        every = self._among.made.get(name, [])
        own = [(module, one) for module, one in every if module is self._module]
        nodes = [(module, node) for module, one in own or every for node in ast.walk(one) if isinstance(node, ast.Return)]
        return bool(nodes) and all(self._among.ours(module).holds(node.value) for module, node in nodes)

    def _name(self, node: ast.AST, name: str) -> bool:
        scope = self._function_of.get(id(node), self._module.tree)
        self._scopes[id(scope)] = scope
        return self.believed.setdefault((id(scope), name), True)

    def doubt(self) -> bool:
        """Look once into every name that is believed; whether one of them is believed no more, or another was met."""
        before = dict(self.believed)
        for key in [key for key, is_ours in before.items() if is_ours]:
            scope, name = key
            self.believed[key] = self._gives(name) if scope == RETURNED else self._is_ours(self._scopes[scope], name)
        return self.believed != before

    def _is_ours(self, scope: ast.AST, name: str) -> bool:
        held = _bound(scope).get(name, [])
        place = _place(scope, name) if isinstance(scope, FunctionNode) else None
        if isinstance(scope, FunctionNode) and place is not None:
            return all(map(self.holds, held)) and self._always_given(scope, name, place)
        return bool(held) and all(map(self.holds, held))

    def _always_given(self, function: FunctionNode, name: str, place: int) -> bool:
        """Whether every call of a function gives a parameter our own text; what is called by another name is not followed."""
        handed_on = self._among.handed_on.get(function.name, set())
        if self._module.path in handed_on or (handed_on and not function.name.startswith("_")):
            return False
        called = self._among.called.get(function.name, [])
        if function.name.startswith("_"):
            called = [(module, call) for module, call in called if module is self._module]
        return bool(called) and all(_given(self._among.ours(module), call, name, place) for module, call in called)


def _parts(node: ast.AST) -> list[ast.AST] | None:
    """The parts of an expression that decide what it holds; None of one that is not followed."""
    match node:
        case ast.Subscript(value=part) | ast.comprehension(iter=part):
            return [part]
        case ast.GeneratorExp(elt=part) | ast.ListComp(elt=part) | ast.SetComp(elt=part):
            return [part]
        case ast.IfExp(body=part, orelse=other):
            return [part, other]
        case (
            ast.JoinedStr()
            | ast.FormattedValue()
            | ast.BinOp()
            | ast.BoolOp()
            | ast.Tuple()
            | ast.List()
            | ast.Set()
            | ast.Dict()
        ):
            return [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    return None


def _inside(node: ast.AST, function: FunctionNode | None) -> Iterator[tuple[int, FunctionNode]]:
    """The innermost function around each node."""
    for child in ast.iter_child_nodes(node):
        if function is not None:
            yield id(child), function
        yield from _inside(child, child if isinstance(child, FunctionNode) else function)


@cache
def _bound(scope: ast.AST) -> Mapping[str, list[ast.AST]]:
    """Everything that is bound to the names of a scope, or from which it is taken."""
    found: dict[str, list[ast.AST]] = defaultdict(list)
    for node in ast.walk(scope):
        for target, value in _bindings(node):
            for one in ast.walk(target):
                if isinstance(one, ast.Name):
                    found[one.id].append(value)
    return found


def _bindings(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AnnAssign(target=target, value=value) | ast.AugAssign(target=target, value=value):
            if value is not None:
                yield target, value
        case ast.NamedExpr(target=target, value=value) | ast.For(target=target, iter=value):
            yield target, value
        case ast.comprehension(target=target, iter=value):
            yield target, value
        case ast.withitem(optional_vars=target, context_expr=value) if target is not None:
            yield target, value


def _place(function: FunctionNode, name: str) -> int | None:
    """The place of a parameter among those that are given by place; None for what is no parameter."""
    given = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    if name in given:
        return given.index(name) - (given[0] in {"self", "cls"})
    return len(given) if name in {one.arg for one in function.args.kwonlyargs} else None


def _given(of: Ours, call: ast.Call, name: str, place: int) -> bool:
    if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
        return False
    named = [one.value for one in call.keywords if one.arg == name]
    return all(map(of.holds, named or call.args[place : place + 1]))


class Program:
    """Modules that call each other."""

    def __init__(self, modules: Sequence[Module]) -> None:
        self.made: dict[str, list[tuple[Module, FunctionNode]]] = defaultdict(list)
        self.called: dict[str, list[tuple[Module, ast.Call]]] = defaultdict(list)
        self.handed_on: dict[str, set[str]] = defaultdict(set)  # Where a function is named uncalled: nobody knows who calls it.
        self._followed: dict[str, Ours] = {}
        for module in modules:
            called_here = {id(node.func) for node in ast.walk(module.tree) if isinstance(node, ast.Call)}
            variables = {*_bound(module.tree), *(node.arg for node in ast.walk(module.tree) if isinstance(node, ast.arg))}
            for node in ast.walk(module.tree):
                match node:
                    case ast.Name(id=name) | ast.Attribute(attr=name, value=ast.Name()) if id(node) not in called_here:
                        if name not in variables:
                            self.handed_on[name].add(module.path)
                    case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                        self.made[name].append((module, node))
                    case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                        self.called[name].append((module, node))

    def ours(self, module: Module) -> Ours:
        """What follows the expressions of a module."""
        if module.path not in self._followed:
            self._followed[module.path] = Ours(module, self)
        return self._followed[module.path]

    def foreign(self, parts: Sequence[tuple[Module, ast.expr]]) -> list[tuple[Module, ast.expr]]:
        """Those of some expressions that are not made of our own text alone."""
        for module, node in parts:
            self.ours(module).holds(node)
        while any([one.doubt() for one in list(self._followed.values())]):  # All of them, each time.
            pass
        return [(module, node) for module, node in parts if not self.ours(module).holds(node)]
