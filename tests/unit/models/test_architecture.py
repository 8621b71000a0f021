# SPDX-License-Identifier: MIT
"""Platform names of ``--platform``."""

from __future__ import annotations

import platform

import pytest

from sandbox.errors import UsageError
from sandbox.models.architecture import own_platform, parse_platform


@pytest.mark.parametrize(("machine", "name"), [("x86_64", "amd64"), ("aarch64", "arm64")])
def test_the_hosts_platform_has_the_name_that_images_use(
    monkeypatch: pytest.MonkeyPatch, machine: str, name: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert str(own_platform()) == f"linux/{name}"
    assert str(parse_platform("linux")) == f"linux/{name}"


def test_the_kernels_names_of_architectures_are_accepted() -> None:
    assert str(parse_platform("linux/x86_64")) == "linux/amd64"
    assert str(parse_platform("aarch64")) == "linux/arm64"


@pytest.mark.parametrize("text", ["", "a/b/c/d", "linux/", "linux /amd64", "/amd64"])
def test_an_invalid_platform_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid platform"):
        parse_platform(text)
