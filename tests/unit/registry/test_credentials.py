# SPDX-License-Identifier: MIT
from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import RegistryError, SandboxError, UsageError
from sandbox.registry.credentials import Credentials, CredentialStore

HELPER = """#!/bin/sh
# Keeps one secret, as docker-credential-helpers do.
read -r input || :
case $1 in
get) cat "$HOME/kept" 2>/dev/null || { echo "credentials not found"; exit 1; } ;;
store) echo "$input" > "$HOME/kept" ;;
erase) rm -f "$HOME/kept" ;;
esac
"""


def config(document: dict[str, Any]) -> pathlib.Path:
    path = pathlib.Path.home() / ".docker/config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def encoded(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()


@pytest.fixture
def helper(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bin/docker-credential-test"
    path.parent.mkdir()
    path.write_text(HELPER)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


AUTHS = {
    "a:5000": "a:5000",
    "https://index.docker.io/v1/": "docker.io",
    "https://b.example": "b.example",
    "b.example/v2/": "b.example",
}


@pytest.mark.parametrize(("key", "domain"), AUTHS.items())
def test_every_way_to_write_a_registry(key: str, domain: str) -> None:
    config({"auths": {"other": {}, key: {"auth": encoded("me:pass:word")}}})
    assert CredentialStore().find(domain) == Credentials("me", "pass:word")
    assert CredentialStore().find("elsewhere") is None


def test_name_and_password_in_the_clear_and_identity_tokens() -> None:
    entries = {
        "a": {"username": "me", "password": "x"},
        "b": {"auth": "", "identitytoken": "t"},
        "c": {"auth": encoded("<token>:"), "identitytoken": "t"},
    }
    config({"auths": entries})
    store = CredentialStore()
    assert store.find("a") == Credentials("me", "x")
    assert store.find("b") == Credentials(identity_token="t")
    found = store.find("c")
    assert found is not None
    assert found.identity_token == "t"


def test_what_others_wrote_is_kept() -> None:
    path = config({"auths": {"a": {"auth": encoded("me:x")}}, "psFormat": "table", "proxies": {}})
    store = CredentialStore()
    assert store.save("b", Credentials("you", "y")) == str(path)
    assert store.erase("a")
    document = json.loads(path.read_text())
    assert document == {
        "auths": {"b": {"auth": encoded("you:y")}},
        "psFormat": "table",
        "proxies": {},
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_linked_file_stays_a_link(tmp_path: pathlib.Path) -> None:
    path = config({})
    path.rename(tmp_path / "real")
    path.symlink_to(tmp_path / "real")
    CredentialStore().save("b", Credentials("you", "y"))
    assert path.is_symlink()
    assert "b" in (tmp_path / "real").read_text()


@pytest.mark.usefixtures("helper")
@pytest.mark.parametrize("document", [{"credsStore": "test"}, {"credHelpers": {"r": "test"}}])
def test_helpers_keep_secrets_out_of_the_file(document: dict[str, Any]) -> None:
    path = config(document)
    store = CredentialStore()
    assert store.find("r") is None
    assert "helper" in store.save("r", Credentials("me", "secret"))
    assert "secret" not in path.read_text()
    assert store.find("r") == Credentials("me", "secret")
    assert store.erase("r")
    assert store.find("r") is None
    assert not store.erase("r")


@pytest.mark.usefixtures("helper")
def test_a_helper_s_identity_token() -> None:
    config({"credsStore": "test"})
    kept = {"ServerURL": "r", "Username": "<token>", "Secret": "t"}
    (pathlib.Path.home() / "kept").write_text(json.dumps(kept))
    assert CredentialStore().find("r") == Credentials(identity_token="t")
    (pathlib.Path.home() / "kept").write_text("{]")
    with pytest.raises(RegistryError, match="no valid answer"):
        CredentialStore().find("r")


def test_a_helper_that_is_missing_is_named() -> None:
    config({"credsStore": "no-such"})
    with pytest.raises(RegistryError, match="docker-credential-no-such is not installed"):
        CredentialStore().find("r")


BROKEN = ["[", "[]", '{"auths": {"r": {"auth": "!"}}}', '{"credsStore": "../x"}', "\x00"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_named(text: str) -> None:
    path = config({})
    path.write_text(text)
    with pytest.raises(UsageError, match=r"config\.json"):
        CredentialStore().find("r")


KEYS = st.sampled_from(["auths", "r", "auth", "username", "password", "identitytoken", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_any_document_is_read_or_refused(document: dict[str, Any]) -> None:
    path = pathlib.Path(os.environ["HOME"]) / "any.json"
    path.write_text(json.dumps(document))
    with contextlib.suppress(SandboxError):
        CredentialStore(path).find("r")
