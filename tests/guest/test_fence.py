# SPDX-License-Identifier: MIT
"""Landlock confines a program whose system calls bypass the runtime."""

from __future__ import annotations

import pathlib
import re
import socket
import tempfile

import pytest

from sandbox.native.probe import probe
from tests.harness import images
from tests.harness.cbuild import BUILDS
from tests.harness.command import ROOT, Sandbox

pytestmark = pytest.mark.guest

# Rights that older kernels lack, with the first version of Landlock that has them.
SINCE = {"truncate a file": 3, "connect to a socket": 9}


def promised() -> dict[str, str]:
    """Return the table of docs/threat-model.md: each attempt and its promised result."""
    text = (ROOT / "docs/threat-model.md").read_text()
    table = text.partition("| past the runtime |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE))


def test_landlock_refuses_what_the_threat_model_promises(
    sandbox: Sandbox, guest_program, tmp_path: pathlib.Path
) -> None:
    abi = probe().landlock
    if abi == 0:
        pytest.skip("this kernel has no Landlock")
    program = guest_program("fence", *BUILDS["static"])
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    (outside / "file").write_text("secret")
    (outside / "program").write_bytes(pathlib.Path("/bin/true").read_bytes())
    (outside / "program").chmod(0o755)
    members = [images.file("fence", pathlib.Path(program).read_bytes(), mode=0o755)]
    sandbox.ok("import", images.rootfs_archive(members, tmp_path / "root.tar"), "fence")

    with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{short}/socket")
        server.listen()
        place = f"{short}/socket"
        printed = sandbox.ok("run", "--rm", "fence", "/fence", str(outside), place)

    found = dict(line.split(": ") for line in printed.splitlines())
    words = {"EACCES": "refused", "EPERM": "refused", "EXDEV": "refused", "done": "allowed"}
    wanted = promised()
    assert list(found) == list(wanted)
    for what, result in found.items():
        if abi >= SINCE.get(what, 1):
            assert words[result] == wanted[what], what
    assert (outside / "file").read_text() == "secret"
