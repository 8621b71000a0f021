# SPDX-License-Identifier: MIT
"""AF_UNIX sockets with paths give the kernel's results, names and credentials."""

from __future__ import annotations

import pytest

from tests.harness import oracle as oracles
from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

PLACES = ("upper", "bind", "tmpfs")
GROUPS = ("names", "errors", "messages", "credentials", "interrupted")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("group", GROUPS)
def test_unix_sockets_work_as_in_the_kernel(
    short_oracle: Oracle, guest_program, group: str, place: str
) -> None:
    program = guest_program("sockets")
    native_folder = short_oracle.native_folder
    folder = str(short_oracle.inside_folder)
    flags = {"bind": ["-v", f"{folder}:{folder}"], "tmpfs": ["--tmpfs", folder]}
    expected = oracles.native([program, group, native_folder], native_folder)
    actual = short_oracle.inside([program, group, folder], *flags.get(place, []))
    short_oracle.compare(expected, actual)
