# SPDX-License-Identifier: MIT
from __future__ import annotations

import base64
import functools
import json
import os
import pathlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.errors import RegistryError, SandboxError, UsageError
from sandbox.registry.credentials import Credentials, CredentialStore

if TYPE_CHECKING:
    from collections.abc import Callable

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
def test_a_registry_may_be_written_in_several_ways(key: str, domain: str) -> None:
    config({"auths": {"other": {}, key: {"auth": encoded("me:pass:word")}}})
    assert CredentialStore().find(domain) == Credentials("me", "pass:word")
    assert CredentialStore().find("elsewhere") is None


def test_plain_passwords_and_identity_tokens_are_read() -> None:
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


def test_other_fields_of_the_file_are_kept() -> None:
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
def test_helpers_store_secrets_outside_of_the_file(document: dict[str, Any]) -> None:
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
def test_a_helper_may_return_an_identity_token() -> None:
    config({"credsStore": "test"})
    kept = {"ServerURL": "r", "Username": "<token>", "Secret": "t"}
    (pathlib.Path.home() / "kept").write_text(json.dumps(kept))
    assert CredentialStore().find("r") == Credentials(identity_token="t")
    (pathlib.Path.home() / "kept").write_text("{]")
    with pytest.raises(RegistryError, match="invalid answer"):
        CredentialStore().find("r")


def test_a_missing_helper_is_named() -> None:
    config({"credsStore": "no-such"})
    with pytest.raises(RegistryError, match="docker-credential-no-such is not installed"):
        CredentialStore().find("r")


BROKEN = ["[", "[]", '{"auths": {"r": {"auth": "!"}}}', '{"credsStore": "../x"}', "\x00"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_damaged_file_is_named(text: str) -> None:
    path = config({})
    path.write_text(text)
    with pytest.raises(UsageError, match=r"config\.json"):
        CredentialStore().find("r")


KEYS = st.sampled_from(
    [
        "auths",
        "credHelpers",
        "credsStore",
        "r",
        "auth",
        "username",
        "password",
        "identitytoken",
        "x",
    ]
)
TEXTS = st.text(max_size=8) | st.sampled_from(["\ud800", encoded("me:x"), "<token>", "a\nb", "\0"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, JSON, max_size=4)


def check_result(action: Callable[[], object]) -> None:
    """Check that the action succeeds or fails with one printable line."""
    message = ""
    try:
        found = action()
    except SandboxError as exc:
        message = exc.message
        found = None
    assert message.isprintable(), message
    if isinstance(found, Credentials):
        assert found.basic.isascii()
        assert found.identity_token.encode() or found.username


def check_file(content: bytes) -> None:
    path = pathlib.Path(os.environ["HOME"]) / "any.json"
    for action in ("find", "save", "erase"):
        path.write_bytes(content)
        store = CredentialStore(path)
        arguments: list[Any] = ["r", Credentials("you", "y")] if action == "save" else ["r"]
        check_result(functools.partial(getattr(store, action), *arguments))
        assert path.read_bytes() == content or json.loads(path.read_bytes())["auths"] is not None
    assert os.listdir(path.parent) == [path.name]


@given(DOCUMENTS | JSON)
def test_any_json_document_is_read_or_refused(document: Any) -> None:
    check_file(json.dumps(document).encode())


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    check_file(content)


def test_a_deeply_nested_file_is_read_or_refused() -> None:
    for depth in (300, *range(900, 1000, 7), 100_000):
        check_file(b'{"a":' * depth + b"1" + b"}" * depth)


@pytest.mark.parametrize("auths", [[], "x", 1])
def test_a_file_that_cannot_be_changed_is_refused_before_a_helper_stores_a_secret(
    auths: Any,
) -> None:
    path = config({"auths": auths, "credsStore": "no-such"})
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"config\.json: auths must be an object"):
        CredentialStore().save("r", Credentials("me", "x"))
    assert path.read_bytes() == before


def test_a_file_without_entries_gets_its_first_entry() -> None:
    path = config({"auths": None})
    assert CredentialStore().find("r") is None
    assert not CredentialStore().erase("r")
    CredentialStore().save("r", Credentials("me", "x"))
    assert json.loads(path.read_text()) == {"auths": {"r": {"auth": encoded("me:x")}}}


ANSWERS = st.fixed_dictionaries({}, optional={"Username": JSON, "Secret": JSON}) | JSON


@pytest.mark.usefixtures("helper")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANSWERS.map(json.dumps).map(str.encode) | st.binary(max_size=30))
def test_any_answer_of_a_helper_is_accepted_or_refused(answer: bytes) -> None:
    config({"credsStore": "test"})
    (pathlib.Path.home() / "kept").write_bytes(answer)
    check_result(lambda: CredentialStore().find("r"))
