# SPDX-License-Identifier: MIT
"""Platform names are normalized as by containerd."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.platforms import PlatformName, parse_platform
from sandbox.dockerfile.words import ArgumentError

HERE = PlatformName("linux", "amd64")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("linux", "linux/amd64"),
        ("arm64", "linux/arm64"),
        ("ARM64", "linux/arm64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("armel", "linux/arm/v6"),
        ("macos", "darwin/amd64"),
        ("windows/i386", "windows/386"),
        ("linux/unheard-of", "linux/unheard-of"),
    ],
)
def test_a_platform_name_is_normalized(text: str, name: str) -> None:
    assert str(parse_platform(text, default=HERE)) == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a/b/c/d", "cannot parse platform specifier"),
        ("unheard-of", "unknown operating system or architecture"),
        ("linux/a b", "invalid component"),
        ("li nux/a", "invalid OS component"),
        ("linux/\n", "invalid component"),
        ("", "invalid OS component"),
    ],
)
def test_an_invalid_platform_name_is_refused(text: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        parse_platform(text, default=HERE)
