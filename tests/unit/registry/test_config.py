# SPDX-License-Identifier: MIT
from __future__ import annotations

import pathlib

import pytest

from sandbox.errors import SandboxError
from sandbox.registry.config import Settings, endpoints, is_loopback, parse_settings, read_settings

TEXT = """
parallel = 2
[registry."docker.io"]
mirrors = ["https://m.example/hub/", "n.example:5000"]
[registry."n.example:5000"]
insecure = true
ca = "/ca.pem"
"""


def test_mirrors_come_first_with_their_own_settings() -> None:
    settings = parse_settings(TEXT, what="x")
    found = endpoints(settings, "docker.io", mirrors=True)
    assert [(item.scheme, item.host, item.prefix) for item in found] == [
        ("https", "m.example", "hub"),
        ("https", "n.example:5000", ""),
        (None, "registry-1.docker.io", ""),
    ]
    assert found[1].settings.insecure
    assert [item.host for item in endpoints(settings, "docker.io", mirrors=False)] == [
        "registry-1.docker.io"
    ]


WRONG = {
    "parallel = 0": "positive",
    "parallel = 'x'": "int",
    "unknown = 1": "unknown",
    "[registry.a]\nmirror = []": "mirror",
    "x": "Expected",
    "registry = 3": "object",
}


@pytest.mark.parametrize(("text", "match"), WRONG.items())
def test_mistakes_are_named(text: str, match: str) -> None:
    with pytest.raises(SandboxError, match=match) as caught:
        parse_settings(text, what="the file")
    assert caught.value.message.startswith("the file: ")


def test_a_mirror_must_be_a_url() -> None:
    settings = parse_settings('[registry.a]\nmirrors = ["ftp://x"]', what="x")
    with pytest.raises(SandboxError, match="ftp"):
        endpoints(settings, "a", mirrors=True)


def test_where_the_file_is_found(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings() == Settings()
    own = pathlib.Path.home() / ".config/sandbox/registries.toml"
    own.parent.mkdir(parents=True)
    own.write_text("parallel = 7")
    assert read_settings().parallel == 7
    named = tmp_path / "named.toml"
    monkeypatch.setenv("SANDBOX_REGISTRIES", str(named))
    with pytest.raises(SandboxError, match=r"named\.toml"):
        read_settings()
    named.write_text("parallel = 9")
    assert read_settings().parallel == 9


@pytest.mark.parametrize(
    ("host", "expected"),
    {
        "localhost": True,
        "127.0.0.1:5000": True,
        "127.9.9.9": True,
        "[::1]:5000": True,
        "127.evil.example": False,
        "localhost.example": False,
        "registry.example:5000": False,
    }.items(),
)
def test_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) == expected
