# SPDX-License-Identifier: MIT
from __future__ import annotations

import hashlib

import pytest

from sandbox.errors import CorruptData
from sandbox.models.digest import chain_ids, digest_of, parse_digest


def test_a_chain_id_depends_on_the_layers_and_their_order() -> None:
    one, two = digest_of(b"1"), digest_of(b"2")
    both = "sha256:" + hashlib.sha256(f"{one} {two}".encode()).hexdigest()
    assert chain_ids([one, two]) == [one, both]
    assert chain_ids([two, one])[1] != both


@pytest.mark.parametrize(
    "text",
    ["", "sha256:", "sha256:" + "A" * 64, "sha256:" + "0" * 63, "../../etc", "md5:" + "0" * 64],
)
def test_an_invalid_digest_is_refused(text: str) -> None:
    with pytest.raises(CorruptData):
        parse_digest(text)
