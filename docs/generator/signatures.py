"""Signatures from the source code, with the types as written there."""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from textwrap import dedent
from typing import Any

WIDTH = 100
FACTORIES = {"dict": "{}", "list": "[]", "tuple": "()"}


class _Unquoted(ast.NodeTransformer):
    """Remove the quotes of types that are imported for type checkers only."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.parse(node.value, mode="eval").body if isinstance(node.value, str) else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        literal = isinstance(node.value, ast.Name) and node.value.id == "Literal"
        return node if literal else self.generic_visit(node)  # type: ignore[return-value]


def signature(thing: Callable[..., Any]) -> str:
    """Return `name(parameters) -> result` of a function or protocol, or `Name(fields)` of a class."""
    if not inspect.isclass(thing):
        return _function(thing.__name__, _definition(thing))
    methods = {node.name: node for node in _body(thing) if isinstance(node, ast.FunctionDef)}
    if getattr(thing, "_is_protocol", False):
        return _function(thing.__name__, methods["__call__"])
    if "__init__" in methods:
        return _function(thing.__name__, methods["__init__"], result=False)
    return _laid_out(f"{thing.__name__}(", list(_fields(thing)), ")") if is_dataclass(thing) else thing.__name__


def _body(thing: type) -> list[ast.stmt]:
    node = ast.parse(dedent(inspect.getsource(thing))).body[0]
    assert isinstance(node, ast.ClassDef)
    return node.body


def _function(name: str, node: ast.FunctionDef, *, result: bool = True) -> str:
    returns = f" -> {_type(node.returns)}" if node.returns is not None and result else ""
    return _laid_out(f"{name}(", list(_parameters(node.args)), f"){returns}")


def _laid_out(start: str, parts: list[str], end: str) -> str:
    line = start + ", ".join(parts) + end
    text = line if len(line) <= WIDTH else "\n".join((start, *(f"    {part}," for part in parts), end))
    return text.replace("'", '"')


def _definition(function: Any) -> ast.FunctionDef:
    node = ast.parse(dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
    for argument, default in zip(arguments.args, defaults, strict=True):
        if argument.arg not in ("self", "cls"):
            yield _parameter(argument, default)
    if arguments.vararg is not None:
        yield f"*{_parameter(arguments.vararg, None)}"
    elif arguments.kwonlyargs:
        yield "*"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument, default)
    if arguments.kwarg is not None:
        yield f"**{_parameter(arguments.kwarg, None)}"


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    text = argument.arg + (f": {_type(argument.annotation)}" if argument.annotation is not None else "")
    if default is None:
        return text
    return f"{text} = {ast.unparse(default)}" if argument.annotation is not None else f"{text}={ast.unparse(default)}"


def _type(annotation: ast.expr | None) -> str:
    return "" if annotation is None else ast.unparse(_Unquoted().visit(annotation))


def _fields(thing: type) -> Iterator[str]:
    if all(field.kw_only for field in fields(thing)):
        yield "*"
    for base in reversed(thing.__mro__):
        if not is_dataclass(base):
            continue
        for node in _body(base):
            if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation):
                yield f"{ast.unparse(node.target)}: {_type(node.annotation)}{_default(node.value)}"


def _default(value: ast.expr | None) -> str:
    if value is None:
        return ""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        given = {keyword.arg: keyword.value for keyword in value.keywords}
        if "default_factory" in given:
            factory = ast.unparse(given["default_factory"])
            return f" = {FACTORIES.get(factory, f'{factory}()')}"
        return f" = {ast.unparse(given['default'])}" if "default" in given else ""
    return f" = {ast.unparse(value)}"
