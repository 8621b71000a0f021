# SPDX-License-Identifier: MIT
"""Requests of instructions that are impossible, and modes of --chmod."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.chmod import new_mode
from sandbox.dockerfile.parser import parse
from sandbox.dockerfile.refusals import refuse_impossible
from sandbox.dockerfile.words import ArgumentError


@pytest.mark.parametrize(
    ("text", "before", "is_dir", "after"),
    [
        ("755", 0o600, False, 0o755),
        ("u+x", 0o644, False, 0o744),
        ("go-rwx", 0o777, False, 0o700),
        ("a=r", 0o777, False, 0o444),
        ("+X", 0o644, False, 0o644),
        ("+X", 0o644, True, 0o755),
        ("u+s,g+s", 0o755, False, 0o6755),
        ("g=u", 0o640, False, 0o660),
        ("+t", 0o777, True, 0o1777),
    ],
)
def test_chmod_gives_the_expected_mode(text: str, before: int, is_dir: bool, after: int) -> None:
    assert new_mode(text, before, is_dir) == after


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("COPY --chmod=u+y a b", "invalid chmod parameter: 'u+y'"),
        (
            "COPY --chmod=17777 a b",
            "invalid chmod parameter: '17777'. it should be octal string and between 0 and 07777",
        ),
        (
            "ADD --chmod=0x1 a b",
            "invalid chmod parameter: '0x1'. it should be octal string and between 0 and 07777",
        ),
        ("COPY http://127.0.0.1/a b", "source can't be a URL for COPY"),
        ("COPY https://127.0.0.1/a.git#main b", "source can't be a git ref for COPY"),
        ("COPY git@127.0.0.1:a b", "source can't be a git ref for COPY"),
        ("ADD --checksum=x a b c", "checksum can't be specified for multiple sources"),
        ("ADD --checksum=x a b", "checksum requires HTTP(S) or Git sources"),
        ("EXPOSE 1/icmp", 'invalid port: "1/icmp": invalid proto: icmp'),
        ("STOPSIGNAL SIGNONE", "invalid signal: SIGNONE"),
    ],
)
def test_an_impossible_request_gives_buildkits_error_message(line: str, reason: str) -> None:
    (stage,) = parse(f"FROM a\n{line}\n".encode()).stages
    with pytest.raises(ArgumentError) as caught:
        refuse_impossible(stage.instructions[0])
    assert caught.value.message == reason


@pytest.mark.parametrize("source", ["github.com/a/b", "git@home", "http:/a", "a.git"])
def test_a_path_that_looks_like_a_url_is_a_path(source: str) -> None:
    (stage,) = parse(f"FROM a\nCOPY {source} b\n".encode()).stages
    refuse_impossible(stage.instructions[0])
