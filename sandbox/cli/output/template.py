# SPDX-License-Identifier: MIT
"""The part of Go's text/template that ``--format`` needs: evaluation.

Rules: pure. A `Struct` has fixed fields, so a missing one is an error; a plain
dict is a map, so a missing key is "<no value>".

Does not know: syntax (`template_syntax`), tables, Docker's field names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.cli.output.template_functions import (
    FUNCTIONS,
    Struct,
    TemplateError,
    is_true,
    show,
)
from sandbox.cli.output.template_syntax import Parser

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.cli.output.template_syntax import Node, Operand, Pipeline

_NO_VALUE = "<no value>"


class Template:
    """A parsed template; `render` may be called for many values."""

    def __init__(self, source: str) -> None:
        """Parse *source*, or raise `TemplateError`."""
        self._nodes = Parser(source).parse()

    def render(self, value: Any) -> str:
        """Return the text for *value*."""
        output: list[str] = []
        _Evaluator(value, output.append).run(self._nodes, value)
        return "".join(output)


class _Evaluator:
    def __init__(self, root: Any, write: Callable[[str], Any]) -> None:
        self._write = write
        self._variables: list[tuple[str, Any]] = [("$", root)]

    def run(self, nodes: list[Node], dot: Any) -> None:
        for node in nodes:
            if node.pipeline is None:
                self._write(node.text)
                continue
            mark = len(self._variables)
            if node.kind == "range":
                self._range(node, node.pipeline, dot)
            else:
                value = self._pipeline(node.pipeline, dot)
                self._control(node, node.pipeline, value, dot)
            if node.kind != "pipeline":
                del self._variables[mark:]

    def _control(self, node: Node, pipeline: Pipeline, value: Any, dot: Any) -> None:
        self._assign(pipeline, value)
        if node.kind == "pipeline":
            if not pipeline.variables:
                self._write(_NO_VALUE if value is None else show(value))
        elif is_true(value):
            self.run(node.body, value if node.kind == "with" else dot)
        else:
            self.run(node.otherwise, dot)

    def _range(self, node: Node, pipeline: Pipeline, dot: Any) -> None:
        items = _items(self._pipeline(pipeline, dot))
        if not items:
            self.run(node.otherwise, dot)
        for key, value in items:
            mark = len(self._variables)
            names = pipeline.variables
            pair = (value,) if len(names) == 1 else (key, value)
            self._variables += zip(names, pair, strict=False)
            self.run(node.body, value)
            del self._variables[mark:]

    def _assign(self, pipeline: Pipeline, value: Any) -> None:
        for name in pipeline.variables:
            if pipeline.declares:
                self._variables.append((name, value))
                continue
            for index in range(len(self._variables) - 1, -1, -1):
                if self._variables[index][0] == name:
                    self._variables[index] = (name, value)
                    break
            else:
                raise TemplateError(f'undefined variable "{name}"')

    def _pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        value: Any = None
        for index, command in enumerate(pipeline.commands):
            piped = (value,) if index else ()
            value = self._command(command, dot, piped)
        return value

    def _command(self, command: tuple[Operand, ...], dot: Any, piped: tuple[Any, ...]) -> Any:
        head, rest = command[0], command[1:]
        if head.kind == "function":
            if head.value in ("and", "or") and not head.fields:
                return self._short_circuit(head.value == "and", rest, dot, piped)
            arguments = [self._value(item, dot) for item in rest]
            return _call(head.value, FUNCTIONS[head.value], *arguments, *piped)
        value = self._value(head, dot)
        if callable(value):
            arguments = [self._value(item, dot) for item in rest]
            return _call(".".join(head.fields), value, *arguments, *piped)
        if rest or piped:
            raise TemplateError("can't give argument to non-function")
        return value

    def _short_circuit(
        self, stop_at_false: bool, rest: tuple[Operand, ...], dot: Any, piped: tuple[Any, ...]
    ) -> Any:
        value: Any = None
        for item in rest:
            value = self._value(item, dot)
            if is_true(value) != stop_at_false:
                return value
        return piped[0] if piped else value

    def _value(self, operand: Operand, dot: Any) -> Any:
        if operand.kind == "value":
            value = operand.value
        elif operand.kind == "dot":
            value = dot
        elif operand.kind == "variable":
            value = self._variable(operand.value)
        elif operand.kind == "function":
            value = self._command((operand,), dot, ())
        else:
            value = self._pipeline(operand.value, dot)
        for name in operand.fields:
            value = _field(value, name)
        return value

    def _variable(self, name: str) -> Any:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        raise TemplateError(f'undefined variable "{name}"')


def _field(value: Any, name: str) -> Any:
    if isinstance(value, Struct):
        if name not in value:
            raise TemplateError(f"can't evaluate field {name}")
        return value[name]
    if isinstance(value, dict):
        return value.get(name)
    if value is None:
        raise TemplateError(f"nil data; no entry for key {name!r}")
    raise TemplateError(f"can't evaluate field {name} in {show(value)!r}")


def _items(value: Any) -> list[tuple[Any, Any]]:
    if value is None:
        return []
    if isinstance(value, dict):
        return sorted(value.items())
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return [(index, index) for index in range(value)]
    raise TemplateError(f"range can't iterate over {show(value)}")


def _call(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as exc:
        raise TemplateError(f"error calling {name}: {exc}") from exc
