# SPDX-License-Identifier: MIT
"""Names and ids of containers."""

from __future__ import annotations

import re

import pytest

from sandbox.errors import UsageError
from sandbox.runtime import container_names


@pytest.mark.parametrize("name", ["a1", "web.1_x-y", "A" * 200])
def test_names_may_use_docker_s_alphabet(name: str) -> None:
    assert container_names.check_name(name) == name


@pytest.mark.parametrize("name", ["", "a", "-ab", "a b", "a/b", "\u00e4bc", "ab\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="invalid container name"):
        container_names.check_name(name)


def test_a_generated_name_is_valid_and_free() -> None:
    taken: set[str] = set()
    for _ in range(300):
        name = container_names.generate_name(taken)
        assert container_names.check_name(name) not in taken
        taken.add(name)


def test_an_id_has_64_digits_and_its_short_form_is_not_a_decimal_number() -> None:
    for _ in range(50):
        container_id = container_names.generate_id()
        assert re.fullmatch(r"[0-9a-f]{64}", container_id)
        assert not container_id[:12].isdigit()
