# SPDX-License-Identifier: MIT
"""Errors that users see."""

from __future__ import annotations

import errno

import pytest

from sandbox import errors
from sandbox.errors import SandboxError, from_os_error, map_os_errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, SandboxError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_has_codes_that_a_shell_and_http_know(kind: type[SandboxError]) -> None:
    assert 1 <= kind.exit_code <= 127
    assert 400 <= kind.http_status <= 599
    assert kind.__doc__


def test_a_failure_of_the_kernel_says_what_was_done() -> None:
    with (
        pytest.raises(SandboxError, match="cannot write x: No space left"),
        map_os_errors("cannot write x"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_error_of_ours_passes_through_unchanged() -> None:
    failure = SandboxError("boom")
    with pytest.raises(SandboxError) as caught, map_os_errors("cannot write"):
        raise failure
    assert caught.value is failure


def test_a_full_disk_and_a_lack_of_rights_are_kinds_of_their_own() -> None:
    full = from_os_error(OSError(errno.ENOSPC, "x"), doing="cannot write")
    denied = from_os_error(PermissionError(errno.EACCES, "x"), doing="cannot write")
    assert isinstance(full, errors.StoreFull)
    assert isinstance(denied, errors.PermissionDenied)
