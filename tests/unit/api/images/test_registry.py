# SPDX-License-Identifier: MIT
"""Credentials in a client's request."""

from __future__ import annotations

import base64
import json

import pytest

from sandbox.api.errors import BadRequest
from sandbox.api.images.registry import credentials_of
from tests.unit.api.fakecall import call_of


def header(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


def test_a_name_and_a_password_are_credentials() -> None:
    text = header({"username": "me", "password": "~~~???"})
    for sent in (text, text.rstrip("=")):
        found = credentials_of(call_of(X_Registry_Auth=sent))
        assert found is not None
        assert (found.username, found.password) == ("me", "~~~???")


def test_a_token_alone_is_enough() -> None:
    found = credentials_of(call_of(X_Registry_Auth=header({"identitytoken": "t"})))
    assert found is not None
    assert found.username == ""


@pytest.mark.parametrize("document", [{}, {"username": "", "password": ""}, {"auth": ""}])
def test_empty_credentials_count_as_none(document: object) -> None:
    assert credentials_of(call_of(X_Registry_Auth=header(document))) is None
    assert credentials_of(call_of()) is None


@pytest.mark.parametrize("text", [header([1]), header({"username": 3}), "e"])
def test_credentials_without_valid_json_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="X-Registry-Auth"):
        credentials_of(call_of(X_Registry_Auth=text))
