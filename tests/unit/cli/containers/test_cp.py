# SPDX-License-Identifier: MIT
"""Which side of ``cp`` is a container."""

from __future__ import annotations

import pytest

from sandbox.cli.containers.cp import split_container_path
from sandbox.cli.main import main


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("web:/etc", ("web", "/etc")),
        ("web:etc/x:y", ("web", "etc/x:y")),
        ("web:", ("web", "")),
        ("/abs:olute", ("", "/abs:olute")),
        ("./rel:ative", ("", "./rel:ative")),
        ("../x:y", ("", "../x:y")),
        ("plain", ("", "plain")),
        ("-", ("", "-")),
    ],
)
def test_a_container_stands_before_the_first_colon(argument: str, parts: tuple[str, str]) -> None:
    assert split_container_path(argument) == parts


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["a:/x", "b:/y"], "copying between containers is not supported"),
        (["/x", "/y"], "at least one container"),
    ],
)
def test_exactly_one_side_is_a_container(
    capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    assert main(["cp", *words]) == 1
    assert text in capsys.readouterr().err
