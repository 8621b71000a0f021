# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest

from sandbox.errors import CorruptData
from sandbox.models import oci


def test_null_fields_of_go_and_unknown_fields_are_accepted() -> None:
    raw = b'{"os":"linux","config":{"Env":null,"Cmd":null,"New":1},"history":null,"x":{}}'
    document = oci.decode(raw, oci.ImageConfig, what="it")
    assert document.config == oci.RunConfig()
    assert document.history is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'{"os":1}',
        b'{"config":{"Env":"x"}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"os":"\\ud800"}',
    ],
)
def test_every_malformed_document_is_an_error(raw: bytes) -> None:
    with pytest.raises(CorruptData, match=r"^it: "):
        oci.decode(raw, oci.ImageConfig, what="it")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10),
        ("1970-01-01T00:00:10.123456789Z", 10.123456),
        ("1970-01-01T01:00:10+01:00", 10),
        ("yesterday", 0),
        ("", 0),
    ],
)
def test_times_are_read_in_every_format_of_go(text: str, seconds: float) -> None:
    assert oci.seconds_of(text) == seconds
