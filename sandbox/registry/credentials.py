# SPDX-License-Identifier: MIT
"""Credentials for registries: ``~/.docker/config.json`` and credential helpers.

Source: Docker's CLI. ``credHelpers`` names a helper for one registry, ``credsStore`` one for
all, and ``auths`` holds the credentials that no helper stores. A helper is a program
``docker-credential-NAME`` that reads the registry's name from its standard input.

Rules: a password never appears in an error, a log or an argument list. A change of the file
keeps what other programs wrote into it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.errors import RegistryError, UsageError, map_os_errors

DOCKER_HUB = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105 - the user name by which helpers mark an identity token
_PATIENCE = 60.0
_NOT_FOUND = "credentials not found"
_HELPER_NAME = re.compile(r"[\w.+-]+", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Credentials:
    """A user name and password, or an identity token."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of a basic Authorization header."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def key_of(domain: str) -> str:
    """Return the key under which Docker stores the credentials of a registry."""
    return DOCKER_HUB if domain == "docker.io" else domain


def host_in(key: str) -> str:
    """Return the registry that a key of ``auths`` refers to.

    >>> host_in("https://registry.example/v2/"), host_in("a:5000")
    ('registry.example', 'a:5000')
    """
    rest = key.partition("://")[2] if "://" in key else key
    host = rest.partition("/")[0]
    return "docker.io" if host in ("index.docker.io", "registry-1.docker.io") else host


class CredentialStore:
    """The credentials in one configuration file and in the helpers it names."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or default_path()

    def find(self, domain: str) -> Credentials | None:
        """Return the credentials for a registry, or None. Raises UsageError, RegistryError."""
        document = self._read()
        helper = self._helper(document, domain)
        if helper is not None:
            found = _ask_helper(helper, key_of(domain))
            if found is not None:
                return found
        auths = self._auths(document)
        exact = auths.get(key_of(domain))
        entries = [exact] if exact is not None else []
        entries += [entry for key, entry in auths.items() if host_in(key) == domain]
        for entry in entries:
            if isinstance(entry, dict) and (found := self._parse(entry, domain)) is not None:
                return found
        return None

    def save(self, domain: str, credentials: Credentials) -> str:
        """Store credentials, and return a phrase that says where, for the user."""
        document = self._read()
        helper = self._helper(document, domain)
        if helper is not None:
            self._auths(document)  # fails before the helper stores anything
            _run_helper(helper, "store", _as_helper(key_of(domain), credentials))
            self._keep(document, domain, {})
            return f"the credential helper {helper}"
        pair = f"{credentials.username}:{credentials.password}".encode()
        entry = {"auth": base64.b64encode(pair).decode()}
        if credentials.identity_token:
            entry["identitytoken"] = credentials.identity_token
        self._keep(document, domain, entry)
        return str(self._path)

    def erase(self, domain: str) -> bool:
        """Delete credentials; return False if there were none."""
        document = self._read()
        helper = self._helper(document, domain)
        auths = self._auths(document)
        erased = False
        if helper is not None and _ask_helper(helper, key_of(domain)) is not None:
            _run_helper(helper, "erase", key_of(domain))
            erased = True
        doomed = [key for key in auths if host_in(key) == domain]
        for key in doomed:
            del auths[key]
        if doomed:
            self._write(document)
        return erased or bool(doomed)

    def _auths(self, document: dict[str, Any]) -> dict[str, Any]:
        auths = document.get("auths")
        if auths is None:
            return {}
        if not isinstance(auths, dict):
            raise UsageError(f"{self._path}: auths must be an object")
        return auths

    def _keep(self, document: dict[str, Any], domain: str, entry: dict[str, str]) -> None:
        self._write({**document, "auths": {**self._auths(document), key_of(domain): entry}})

    def _helper(self, document: dict[str, Any], domain: str) -> str | None:
        helpers = document.get("credHelpers")
        name = helpers.get(domain) if isinstance(helpers, dict) else None
        name = name or document.get("credsStore") or None
        if name is not None and not (isinstance(name, str) and _HELPER_NAME.fullmatch(name)):
            raise UsageError(f"{self._path}: {name!r} is not the name of a credential helper")
        return name

    def _parse(self, entry: dict[str, Any], domain: str) -> Credentials | None:
        token = entry.get("identitytoken") or ""
        username, password = entry.get("username") or "", entry.get("password") or ""
        if encoded := entry.get("auth"):
            try:
                pair = base64.b64decode(encoded, validate=True).decode()
            except (ValueError, TypeError, binascii.Error) as exc:
                raise UsageError(f"{self._path}: damaged credentials for {domain}") from exc
            username, _, password = pair.partition(":")
            password = password.rstrip("\0")
        if not all(map(_is_text, (token, username, password))):
            raise UsageError(f"{self._path}: damaged credentials for {domain}")
        if not (token or username):
            return None
        return Credentials(username, password, token)

    def _read(self) -> dict[str, Any]:
        with map_os_errors(f"cannot read {self._path}"):
            try:
                raw = self._path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return {}
        try:
            document = json.loads(raw or b"{}")
        except (ValueError, RecursionError) as exc:
            raise UsageError(f"{self._path}: {exc}") from exc
        if not isinstance(document, dict):
            raise UsageError(f"{self._path}: expected a JSON object")
        return document

    def _write(self, document: dict[str, Any]) -> None:
        target = Path(os.path.realpath(self._path))
        draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        try:
            text = json.dumps(document, indent="\t")
        except RecursionError as exc:
            raise UsageError(f"{self._path}: nested too deeply") from exc
        with map_os_errors(f"cannot write {self._path}"):
            target.parent.mkdir(0o700, parents=True, exist_ok=True)
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with open(fd, "w", encoding="utf-8") as file:
                    file.write(text)
                draft.rename(target)
            except OSError:
                draft.unlink(missing_ok=True)
                raise


def default_path() -> Path:
    """Return the path of the file that Docker's CLI uses."""
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def _ask_helper(helper: str, key: str) -> Credentials | None:
    answer = _run_helper(helper, "get", key)
    if answer is None:
        return None
    try:
        document = json.loads(answer)
        username, secret = document["Username"], document["Secret"]
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise RegistryError(f"the credential helper {helper} sent an invalid answer") from exc
    if not (_is_text(username) and _is_text(secret)):
        raise RegistryError(f"the credential helper {helper} sent an invalid answer")
    if username == _TOKEN_USER:
        return Credentials(identity_token=secret)
    return Credentials(username, secret)


def _is_text(value: object) -> bool:
    """Return whether a value is encodable text; JSON may contain half a surrogate pair."""
    return isinstance(value, str) and not _SURROGATE.search(value)


def _as_helper(key: str, credentials: Credentials) -> str:
    token = credentials.identity_token
    return json.dumps(
        {
            "ServerURL": key,
            "Username": _TOKEN_USER if token else credentials.username,
            "Secret": token or credentials.password,
        }
    )


def _run_helper(helper: str, verb: str, text: str) -> str | None:
    """Return the helper's answer; None if it has no such credentials."""
    program = shutil.which(f"docker-credential-{helper}")
    if program is None:
        raise RegistryError(f"the credential helper docker-credential-{helper} is not installed")
    try:
        done = subprocess.run(
            [program, verb],
            input=text,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeError) as exc:
        raise RegistryError(f"the credential helper {helper} cannot be run") from exc
    if done.returncode == 0:
        return done.stdout
    if verb == "get" and _NOT_FOUND in done.stdout + done.stderr:
        return None
    raise RegistryError(f"the credential helper {helper} failed: {_first_line(done.stderr)}")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200] or "no message"


class OverriddenCredentials(CredentialStore):
    """The user's credentials, with other credentials for one registry."""

    def __init__(self, domain: str, credentials: Credentials) -> None:
        super().__init__()
        self._domain = domain
        self._given = credentials

    def find(self, domain: str) -> Credentials | None:
        """Return the credentials for a registry, or None."""
        return self._given if domain == self._domain else super().find(domain)
