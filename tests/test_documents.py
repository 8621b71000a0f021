# SPDX-License-Identifier: MIT
"""What the documents mention exists: files, functions, make targets, commands, flags, links.

`make docs` builds the site from the same files and fails on a dead link, too.
"""

from __future__ import annotations

import importlib.util
import pathlib
import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import click
import pytest

from sandbox.cli.commands import cli
from sandbox.cli.unsupported_flags import reason_against
from tests.test_architecture import FOLDERS
from tools import manual

ROOT = pathlib.Path(__file__).resolve().parents[1]
WIDTH = 140
HISTORY = ROOT / "CHANGELOG.md"  # of releases whose files may be gone
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "bench/README.md")),
    HISTORY,
    *sorted((ROOT / "docs").rglob("*.md")),
]
PRESENT = [path for path in DOCUMENTS if path != HISTORY]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|\bsrc(?:set)?=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
OUR_PATH = re.compile(
    r"(?<![\w/.~-])(?:csrc|sandbox|tests|bench|tools|docs)/[\w./*{},-]*\w[\w./*-]*"
)
OUR_FUNCTION = re.compile(r"\bsb_\w+")
OUR_MODULE = re.compile(r"(?<![\w/.:-])sandbox(?:\.[a-z_]+)+")
FILE_ENDINGS = ("lock", "socket", "service", "toml", "sock")
TARGET = re.compile(r"^(?:sudo )?make(?: \w+=\S+)* ([a-z][a-z-]*)", re.MULTILINE)
PASSES_ALL = {"docker"}  # what follows belongs to Docker's command line
STOPS_AT_ARGUMENT = {"run", "create", "exec", "trace", "top"}


def name_of(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
each_present = pytest.mark.parametrize("path", PRESENT, ids=name_of)


class Code(NamedTuple):
    """A code span or a block of code."""

    language: str
    text: str


@cache
def prose(path: pathlib.Path) -> str:
    """Return a document without its blocks of code."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


@cache
def code(path: pathlib.Path) -> list[Code]:
    """Return all code of a document."""
    blocks = [Code(*found) for found in FENCE.findall(path.read_text(encoding="utf-8"))]
    spans = [Code("", text.replace("\\|", "|")) for text in SPAN.findall(prose(path))]
    return blocks + spans


@cache
def all_sources() -> str:
    """Return the text of everything that documents talk about."""
    folders = ("csrc", "sandbox", "bench", "tests", "tools")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    wanted = [path for path in files if path.suffix in {".c", ".h", ".S", ".def", ".py", ".sh"}]
    wanted += [ROOT / "Makefile", ROOT / "pyproject.toml"]
    return "\n".join(path.read_text(encoding="utf-8") for path in wanted)


# ---- form -----------------------------------------------------------------------------------


@each_document
def test_no_line_is_longer_than_140_columns(path: pathlib.Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > WIDTH] == []


@each_document
def test_every_block_of_code_is_closed(path: pathlib.Path) -> None:
    assert "```" not in prose(path)


# ---- links ----------------------------------------------------------------------------------


def anchors(path: pathlib.Path) -> set[str]:
    """Return the anchors of a document's headings, as both GitHub and the site make them."""
    titles = [re.sub(r"[`*]|\[|\]\([^)]*\)", "", title) for title in HEADING.findall(prose(path))]
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@each_document
def test_links_lead_to_files_and_headings_that_exist(path: pathlib.Path) -> None:
    dead = []
    for pair in LINK.findall(prose(path)):
        target, _, anchor = (pair[0] or pair[1]).partition("#")
        if "://" in target:
            continue
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(pair[0])
    assert dead == []


def test_the_index_leads_to_every_document() -> None:
    seen: set[pathlib.Path] = set()
    waiting = [ROOT / "docs/index.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        targets = [(pair[0] or pair[1]).partition("#")[0] for pair in LINK.findall(prose(path))]
        waiting += [(path.parent / target).resolve() for target in targets if "://" not in target]
    assert [name_of(path) for path in DOCUMENTS if path not in seen] == []


# ---- names ----------------------------------------------------------------------------------


@each_present
def test_paths_of_code_exist(path: pathlib.Path) -> None:
    texts = [re.sub(r"<\w+>", "*", item.text) for item in code(path)]
    named = {found for text in texts for found in OUR_PATH.findall(text)}
    missing = [name for name in sorted(named) if not list(ROOT.glob(name.rstrip("./")))]
    assert missing == []


@each_present
def test_functions_of_the_runtime_exist(path: pathlib.Path) -> None:
    named = {found for item in code(path) for found in OUR_FUNCTION.findall(item.text)}
    assert [name for name in sorted(named) if not re.search(rf"\b{name}\b", all_sources())] == []


@each_present
def test_python_modules_exist(path: pathlib.Path) -> None:
    named = {found for item in code(path) for found in OUR_MODULE.findall(item.text)}
    named = {name for name in named if not name.endswith(FILE_ENDINGS)}
    assert [name for name in sorted(named) if not exists(name)] == []


def exists(dotted: str) -> bool:
    """Whether this is a module of ours, or something in one."""
    parent, _, last = dotted.rpartition(".")
    try:
        if importlib.util.find_spec(dotted):
            return True
    except ModuleNotFoundError:
        return exists(parent) if parent else False
    return hasattr(importlib.import_module(parent), last)


@each_present
def test_targets_of_make_exist(path: pathlib.Path) -> None:
    known = re.search(r"(?m)^\.PHONY: (.*)$", (ROOT / "Makefile").read_text())
    assert known
    named = {found for item in code(path) for found in TARGET.findall(item.text)}
    assert sorted(named - set(known[1].split())) == []


def test_the_table_of_levels_is_the_one_that_is_checked() -> None:
    table = prose(ROOT / "docs/architecture.md").partition("| level | folder of `csrc/`")[2]
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", table.partition("\n\n")[0], re.MULTILINE)
    named = {name: int(level) for level, names in rows for name in SPAN.findall(names)}
    assert named == {folder or ".": level for folder, level in FOLDERS.items()}


# ---- commands -------------------------------------------------------------------------------


@cache
def verbs(path: str = "") -> dict[str, click.Command]:
    """Return the commands below one of ours, by name."""
    group: click.Command = cli
    for word in path.split():
        group = verbs()[word]
    if not isinstance(group, click.Group):
        return {}
    ctx = click.Context(group)
    found = ((name, group.get_command(ctx, name)) for name in group.list_commands(ctx))
    return {name: command for name, command in found if command is not None}


def commands(text: str) -> Iterator[list[str]]:
    """Find the commands of ours in a text of the shell, each as its words after `sandbox`."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        for found in re.finditer(r"(\$\()?(?:(?<=[\s(/])|^)sandbox\s+(.*)", line):
            tail = found[2].partition(")")[0] if found[1] else found[2]
            tail = re.split(r"\|\|?|&&?|;", tail)[0]
            try:
                words = shlex.split(tail, comments=True)
            except ValueError:
                words = tail.split()
            if words and re.match(r"-|[a-z]+$", words[0]):
                yield words


def mistakes(words: list[str]) -> Iterator[str]:
    """Compare a command with the command line that there is."""
    if words[0].startswith("-") or words[0] in PASSES_ALL:
        return
    name, command, rest = words[0], verbs().get(words[0]), words[1:]
    if isinstance(command, click.Group) and rest:
        name, command, rest = f"{name} {rest[0]}", verbs(name).get(rest[0]), rest[1:]
    if command is None:
        yield " ".join(words)
        return
    options = {name: item for item in command.params for name in (*item.opts, *item.secondary_opts)}
    options |= dict.fromkeys(("--help", "-h"), click.Option(["--help"], is_flag=True))
    takes = False
    for word in rest:
        flag = word.partition("=")[0]
        if takes:
            takes = False
        elif flag.startswith("--"):
            if flag not in options and not reason_against(name, flag):
                yield f"{name} {flag}"
            takes = "=" not in word and flag in options and not is_flag(options[flag])
        elif re.fullmatch(r"-[a-zA-Z]+", word):
            unknown = [letter for letter in word[1:2] if f"-{letter}" not in options]
            yield from (f"{name} -{letter}" for letter in unknown)
            last = options.get(f"-{word[-1]}")
            takes = last is not None and not is_flag(last)
        elif command.name in STOPS_AT_ARGUMENT:
            return


def is_flag(item: click.Parameter) -> bool:
    return isinstance(item, click.Option) and (item.is_flag or item.count)


@each_present
def test_commands_and_their_flags_exist(path: pathlib.Path) -> None:
    wrong = []
    for item in code(path):
        words = item.text.split()
        if not item.language and len(words) > 1 and words[0] in verbs() and "--" in item.text:
            wrong += mistakes(re.split(r"[ ,]+", item.text.split("|")[0]))
        elif item.language in {"", "sh", "text", "yaml"}:
            wrong += [found for line in commands(item.text) for found in mistakes(line)]
    assert wrong == []


@each_present
def test_flags_that_are_mentioned_exist(path: pathlib.Path) -> None:
    ours = re.compile(rf"-|[A-Z]+ |(sandbox|{'|'.join(verbs())})\b")
    spans = [item.text for item in code(path) if not item.language and ours.match(item.text)]
    named = {found for text in spans for found in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)}
    known = all_sources()
    assert [flag for flag in sorted(named) if flag.rstrip("-") not in known] == []


def test_every_command_has_a_man_page(tmp_path: pathlib.Path) -> None:
    tmp_path = tmp_path / "man"
    manual.write_man_pages(tmp_path)
    nested = [f"{verb}-{name}" for verb in verbs() for name in verbs(verb)]
    wanted = {"sandbox.1", *(f"sandbox-{name}.1" for name in [*verbs(), *nested])}
    assert {path.name for path in tmp_path.iterdir()} == wanted
    page = (tmp_path / "sandbox-run.1").read_text()
    assert page.startswith('.TH "SANDBOX\\-RUN" 1')
    assert ".TP\n\\fB\\-\\-rm\\fR\n" in page
    assert (tmp_path / "sandbox-container-run.1").read_text() == ".so man1/sandbox-run.1\n"


def test_lines_of_a_man_page_that_look_like_requests_are_quoted() -> None:
    assert manual.roff("-a\n.b\\") == "\\-a\n\\&.b\\e"


def test_every_verb_is_in_the_reference() -> None:
    words = {word for item in code(ROOT / "docs/verbs.md") for word in item.text.split()}
    assert sorted(set(verbs()) - words) == []
