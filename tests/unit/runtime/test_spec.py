# SPDX-License-Identifier: MIT
"""An image's defaults merged with the user's options."""

from __future__ import annotations

import pytest

from sandbox.errors import RuntimeFailed, UsageError
from sandbox.models.container import Ulimit
from sandbox.runtime import spec
from sandbox.runtime.spec import Command

IMAGE = Command(("tini", "--"), ("sh", "-l"))


@pytest.mark.parametrize(
    ("entrypoint", "args", "expected"),
    [
        (None, [], ("tini", "--", "sh", "-l")),
        (None, ["ls"], ("tini", "--", "ls")),
        (["cat"], [], ("cat",)),
        (["cat"], ["/x"], ("cat", "/x")),
        ([], ["ls"], ("ls",)),
        (["cat", "-n"], ["/x"], ("cat", "-n", "/x")),
    ],
)
def test_arguments_replace_cmd_and_an_entrypoint_both(
    entrypoint: list[str] | None, args: list[str], expected: tuple[str, ...]
) -> None:
    merged = spec.merge_command(image=IMAGE, entrypoint=entrypoint, args=args)
    assert merged.entrypoint + merged.cmd == expected


@pytest.mark.parametrize(("entrypoint", "image"), [([], IMAGE), (None, Command((), ()))])
def test_no_command_at_all_is_an_error(entrypoint: list[str] | None, image: Command) -> None:
    with pytest.raises(RuntimeFailed, match="no command specified"):
        spec.merge_command(image=image, entrypoint=entrypoint, args=[])


def test_later_variables_win_and_a_bare_name_removes() -> None:
    merged = spec.merge_env(
        spec.base_env(hostname="h", tty=True),
        ["PATH=/image", "LANG=C", "EMPTY=1"],
        ["LANG", "EMPTY=", "NEW=a=b"],
    )
    assert merged == ("PATH=/image", "HOSTNAME=h", "TERM=xterm", "EMPTY=", "NEW=a=b")


def test_host_variables_are_not_passed_by_default() -> None:
    assert spec.base_env(hostname="h", tty=False) == (
        f"PATH={spec.DEFAULT_PATH}",
        "HOSTNAME=h",
    )


def test_home_comes_from_the_user_database_unless_set() -> None:
    assert spec.with_home(["A=1"], "/root") == ("A=1", "HOME=/root")
    assert spec.with_home(["HOME=/x"], "/root") == ("HOME=/x",)


def test_an_env_flag_without_a_value_takes_the_host_s_value() -> None:
    host = {"TOKEN": "secret"}
    assert spec.resolve_env_flags(["TOKEN", "GONE", "A=b"], host) == (
        "TOKEN=secret",
        "GONE",
        "A=b",
    )


def test_an_env_file_is_read_line_by_line_and_literally() -> None:
    text = "\ufeff# comment\n\n  A=1 \nB='quoted'\nHOSTED\nABSENT\nC=\n"
    assert spec.parse_env_file(text, {"HOSTED": "yes"}, name="f") == (
        "A=1 ",
        "B='quoted'",
        "HOSTED=yes",
        "C=",
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [("=x", "no variable name"), ("a b=1", "contains whitespaces")],
)
def test_the_error_names_the_invalid_line_of_an_env_file(line: str, message: str) -> None:
    with pytest.raises(UsageError, match=rf"^f: line 2: .*{message}"):
        spec.parse_env_file(f"OK=1\n{line}\n", {}, name="f")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nofile=1024", Ulimit("nofile", 1024, 1024)),
        ("nofile=10:20", Ulimit("nofile", 10, 20)),
        ("core=-1", Ulimit("core", -1, -1)),
        ("core=0:-1", Ulimit("core", 0, -1)),
    ],
)
def test_ulimits_have_a_soft_and_a_hard_value(text: str, expected: Ulimit) -> None:
    assert spec.parse_ulimit(text) == expected


@pytest.mark.parametrize(
    "text", ["nofile", "files=3", "nofile=x", "nofile=5:4", "nofile=-2", "cpu=-1:5"]
)
def test_bad_ulimits_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        spec.parse_ulimit(text)


@pytest.mark.parametrize("name", ["-x", "a b", "a..b", "", "a/b", "x" * 65, "\u00fc"])
def test_impossible_host_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        spec.parse_hostname(name)


def test_ordinary_host_names_are_accepted() -> None:
    assert spec.parse_hostname("web-1.example.org") == "web-1.example.org"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux", ("linux", "amd64")),
        ("linux/arm64/v8", ("linux", "arm64")),
        ("AMD64", ("linux", "amd64")),
    ],
)
def test_platforms_have_defaults_and_aliases(text: str, expected: tuple[str, str]) -> None:
    assert spec.parse_platform(text) == expected


def test_a_label_without_value_is_empty_and_without_key_is_refused() -> None:
    assert spec.parse_labels(["a=1", "b", "a=2"]) == {"a": "2", "b": ""}
    with pytest.raises(UsageError):
        spec.parse_labels(["=x"])


def test_a_terminal_is_demanded_only_if_stdin_is_attached() -> None:
    refused = spec.tty_conflict(tty=True, attach_stdin=True, stdin_is_tty=False)
    assert refused == "the input device is not a TTY"
    assert not spec.tty_conflict(tty=True, attach_stdin=False, stdin_is_tty=False)
    assert not spec.tty_conflict(tty=True, attach_stdin=True, stdin_is_tty=True)
