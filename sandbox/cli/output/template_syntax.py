# SPDX-License-Identifier: MIT
"""The syntax of ``--format`` templates: the part of Go's text/template in use.

Grammar::

    template  = { text | "{{" ["- "] action [" -"] "}}" }
    action    = pipeline | "if" pipeline | "else" ["if" pipeline] | "end"
              | "range" [vars ":="] pipeline | "with" pipeline | "/*" ... "*/"
    pipeline  = [vars (":=" | "=")] command { "|" command }
    command   = operand { operand }
    operand   = (literal | function | "." | field | variable | "(" pipeline ")"){field}

Rules: pure; a malformed template raises `TemplateError`.

Does not know: what the values are (see `template`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.cli.output.template_functions import FUNCTIONS, TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACTION = re.compile(r"\{\{(?P<left>-(?=\s))?(?P<body>.*?)(?P<right>(?<=\s)-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
      | (?P<char>'(?:[^'\\\n]|\\.)')
      | (?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?))
      | (?P<field>\.[A-Za-z_]\w*)
      | (?P<variable>\$\w*)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<mark>:=|=|\||\(|\)|,|\.)""",
    re.VERBOSE,
)
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "nil": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    glued: bool  # no space before it: a field continues the operand


@dataclass(frozen=True, slots=True)
class Operand:
    """A value, and the fields to take from it."""

    kind: str  # "value" "function" "dot" "variable" "pipeline"
    value: Any
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each fed by the one before; the last may fill variables."""

    variables: tuple[str, ...]
    declares: bool
    commands: tuple[tuple[Operand, ...], ...]


@dataclass(slots=True)
class Node:
    """A piece of the template; blocks hold more of them."""

    kind: str  # "text" "pipeline" "if" "range" "with"
    text: str = ""
    pipeline: Pipeline | None = None
    body: list[Node] = field(default_factory=list)
    otherwise: list[Node] = field(default_factory=list)


class Parser:
    """Turns the text of a template into nodes."""

    def __init__(self, source: str) -> None:
        """Split *source* into text and actions."""
        self._pieces = list(_split(source))
        self._next = 0

    def parse(self) -> list[Node]:
        """Return the nodes of the whole template."""
        nodes, stop = self._block()
        if stop:
            raise TemplateError(f"unexpected {{{{{stop}}}}}")
        return nodes

    def _block(self) -> tuple[list[Node], str]:
        """Parse up to an end or else; return the nodes and the action that stopped them."""
        nodes: list[Node] = []
        while self._next < len(self._pieces):
            kind, text = self._pieces[self._next]
            self._next += 1
            if kind == "text":
                nodes.append(Node("text", text=text))
                continue
            word = text.split(maxsplit=1)[0] if text else ""
            if word in ("end", "else"):
                return nodes, text
            if word in ("if", "range", "with"):
                nodes.append(self._control(word, text[len(word) :]))
            else:
                nodes.append(Node("pipeline", pipeline=_parse_pipeline(text)))
        return nodes, ""

    def _control(self, kind: str, text: str) -> Node:
        node = Node(kind, pipeline=_parse_pipeline(text))
        node.body, stop = self._block()
        if stop.startswith("else"):
            rest = stop[4:].strip()
            word = rest.split(maxsplit=1)[0] if rest else ""
            if word in ("if", "with"):
                node.otherwise = [self._control(word, rest[len(word) :])]
                return node
            if rest:
                raise TemplateError(f"unexpected <{rest}> in else")
            node.otherwise, stop = self._block()
        if stop != "end":
            raise TemplateError("unexpected EOF: an {{end}} is missing")
        return node


def _split(source: str) -> Iterator[tuple[str, str]]:
    position, trim = 0, False
    for match in _ACTION.finditer(source):
        text = source[position : match.start()]
        text = text.lstrip() if trim else text
        text = text.rstrip() if match["left"] else text
        if text:
            yield "text", text
        body = match["body"].strip()
        if not (body.startswith("/*") and body.endswith("*/")):
            if not body:
                raise TemplateError("missing value for command")
            yield "action", body
        position, trim = match.end(), match["right"] is not None
    rest = source[position:]
    if "{{" in rest:
        raise TemplateError("unclosed action")
    rest = rest.lstrip() if trim else rest
    if rest:
        yield "text", rest


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, glued = 0, False
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise TemplateError(f"unexpected {text[position]!r} in action")
        position = match.end()
        kind = match.lastgroup or ""
        if kind != "space":
            tokens.append(_Token(kind, match.group(), glued))
        glued = kind != "space"
    return tokens


def _parse_pipeline(text: str) -> Pipeline:
    tokens = _tokens(text)
    variables, declares, rest = _declaration(tokens)
    pipeline, end = _commands(rest, 0)
    if end != len(rest):
        raise TemplateError(f"unexpected <{rest[end].text}> in action")
    return Pipeline(variables, declares, pipeline)


def _declaration(tokens: list[_Token]) -> tuple[tuple[str, ...], bool, list[_Token]]:
    """Split ``$k, $v :=`` off the front, if it is there."""
    for index, token in enumerate(tokens):
        if token.text in (":=", "=") and token.kind == "mark":
            names = [item.text for item in tokens[:index] if item.text != ","]
            if not names or not all(name.startswith("$") for name in names):
                raise TemplateError(f"unexpected {token.text!r} in action")
            return tuple(names), token.text == ":=", tokens[index + 1 :]
    return (), False, tokens


def _commands(tokens: list[_Token], start: int) -> tuple[tuple[tuple[Operand, ...], ...], int]:
    commands: list[tuple[Operand, ...]] = []
    current: list[Operand] = []
    index = start
    while index < len(tokens) and tokens[index].text != ")":
        if tokens[index].text == "|" and tokens[index].kind == "mark":
            commands.append(_checked(current))
            current, index = [], index + 1
            continue
        operand, index = _operand(tokens, index)
        current.append(operand)
    commands.append(_checked(current))
    return tuple(commands), index


def _checked(command: list[Operand]) -> tuple[Operand, ...]:
    if not command:
        raise TemplateError("missing value for command")
    return tuple(command)


def _operand(tokens: list[_Token], index: int) -> tuple[Operand, int]:
    token = tokens[index]
    index += 1
    fields: list[str] = []
    if token.text == "(" and token.kind == "mark":
        commands, index = _commands(tokens, index)
        if index >= len(tokens):
            raise TemplateError("unclosed left paren")
        base, index = Operand("pipeline", Pipeline((), False, commands)), index + 1
    elif token.kind == "field":
        base = Operand("dot", None)
        fields.append(token.text[1:])
    else:
        base = _simple_operand(token)
    while index < len(tokens) and tokens[index].kind == "field" and tokens[index].glued:
        fields.append(tokens[index].text[1:])
        index += 1
    return Operand(base.kind, base.value, tuple(fields)), index


def _simple_operand(token: _Token) -> Operand:
    if token.text == "." and token.kind == "mark":
        return Operand("dot", None)
    if token.kind == "variable":
        return Operand("variable", token.text)
    if token.kind in ("string", "char"):
        text = token.text[1:-1]
        plain = text if token.text[0] == "`" else _unescape(text)
        return Operand("value", ord(plain) if token.kind == "char" else plain)
    if token.kind == "number":
        is_float = re.search(r"[.eE]", token.text) and "x" not in token.text.lower()
        return Operand("value", float(token.text) if is_float else int(token.text, 0))
    if token.text in _CONSTANTS:
        return Operand("value", _CONSTANTS[token.text])
    if token.text in FUNCTIONS or token.text in ("and", "or"):
        return Operand("function", token.text)
    if token.kind == "word":
        raise TemplateError(f'function "{token.text}" not defined')
    raise TemplateError(f"unexpected <{token.text}> in operand")


def _unescape(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] in "xuU":
            return chr(int(code[1:], 16))
        return _ESCAPES.get(code, code)

    return re.sub(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", plain, text)
