# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    "timeout = nan": "at most",
    "timeout = inf": "at most",
    "unknown = 1": "unknown",
    "[registry.a]\nmirror = []": "mirror",
    "x": "Expected",
    "registry = 3": "object",
}


@pytest.mark.parametrize(("text", "match"), WRONG.items())
def test_mistakes_in_the_settings_are_named(text: str, match: str) -> None:
    with pytest.raises(SandboxError, match=match) as caught:
        parse_settings(text, what="the file")
    assert caught.value.message.startswith("the file: ")


@pytest.mark.parametrize("mirror", ["ftp://x", "http://", "https:///", ""])
def test_a_mirror_must_be_a_url(mirror: str) -> None:
    settings = parse_settings(f'[registry.a]\nmirrors = ["{mirror}"]', what="x")
    with pytest.raises(SandboxError, match=f"mirror '{mirror}' is not the URL"):
        endpoints(settings, "a", mirrors=True)


def test_the_settings_file_is_chosen_by_the_environment(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
def test_loopback_hosts_are_recognized(host: str, *, expected: bool) -> None:
    assert is_loopback(host) == expected


NAMES = st.sampled_from(["parallel", "retries", "timeout", "registry", "a", "mirrors", "ca", "x"])
VALUES = st.recursive(
    st.integers() | st.floats() | st.booleans() | st.sampled_from(["", "http://", "https://b/c"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def toml(value: object) -> str:
    """Return a value in TOML syntax with inline tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


@given(st.dictionaries(NAMES, VALUES, max_size=4).map(lambda d: tables(d).encode()) | st.binary())
def test_any_file_gives_settings_or_a_printable_error(raw: bytes) -> None:
    path = pathlib.Path.home() / "any.toml"
    path.write_bytes(raw)
    message = ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_REGISTRIES", str(path))
        try:
            settings = read_settings()
            assert all(item.host for item in endpoints(settings, "a", mirrors=True))
            assert 0 < settings.timeout < 10**6
        except SandboxError as exc:
            message = exc.message
    assert message.isprintable()


def tables(document: dict[str, object]) -> str:
    """Return a TOML document."""
    return "".join(f"{key} = {toml(value)}\n" for key, value in document.items())
