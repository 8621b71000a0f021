# SPDX-License-Identifier: MIT
"""AF_UNIX sockets by path have the kernel's results, names and credentials."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Iterator

import pytest

from tests.harness import oracle as oracles
from tests.harness.command import Sandbox
from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

# Where the sockets are made.
PLACES = ("upper", "bind", "tmpfs")
GROUPS = ("names", "errors", "messages", "credentials", "interrupted")


@pytest.fixture
def oracle(sandbox: Sandbox) -> Iterator[Oracle]:
    """Return an oracle whose folders have short names: sun_path holds 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as folder:
        native, inside = pathlib.Path(folder, "n"), pathlib.Path(folder, "i")
        native.mkdir()
        inside.mkdir()
        yield Oracle(sandbox, native, inside)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("group", GROUPS)
def test_sockets_answer_as_the_kernel_does(
    oracle: Oracle, guest_program, group: str, place: str
) -> None:
    program = guest_program("sockets")
    native_folder = oracle.native_folder
    folder = str(oracle.inside_folder)
    flags = {"bind": ["-v", f"{folder}:{folder}"], "tmpfs": ["--tmpfs", folder]}
    expected = oracles.native([program, group, native_folder], native_folder)
    actual = oracle.inside([program, group, folder], *flags.get(place, []))
    oracle.compare(expected, actual)
