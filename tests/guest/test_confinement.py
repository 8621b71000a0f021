# SPDX-License-Identifier: MIT
"""No system call of a container uses a path outside of the container's own trees.

A tracer outside of the container (tests/harness/witness.py) records the paths of all calls.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.harness import images
from tests.harness.command import ROOT, Sandbox

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(
        os.environ.get("SANDBOX_TEST_INTERCEPTOR") == "ptrace", reason="a thread has one tracer"
    ),
]

SCRIPT = """
cd /etc && cat ../etc/passwd /etc/hostname no-such-file; ls -la / /proc/self/fd > /listing
mkdir -p /a/b && echo text > /a/b/file && mv /a/b /a/c && ln -s /a/c/file /link && cat /link
cp /listing /a/copy && rm /a/copy && chmod 700 /a && find /a /bin /etc -name 'file*'
cat /../../../etc/shadow /home/secret; ls /home /root /var; echo done > /dev/null; exit 0
"""
WITNESS = ROOT / "tests" / "harness" / "witness.py"


@pytest.mark.parametrize("interceptor", ["trap", "rewrite"])
def test_no_call_uses_a_path_outside_of_the_containers_trees(
    sandbox: Sandbox, tmp_path: pathlib.Path, interceptor: str
) -> None:
    shell = pathlib.Path("/bin/busybox")
    if not shell.exists():
        pytest.skip("no static busybox")
    names = ["cat", "chmod", "cp", "echo", "find", "ln", "ls", "mkdir", "mv", "rm", "sh"]
    members = [
        images.directory("bin"),
        images.file("bin/busybox", shell.read_bytes(), mode=0o755),
        *(images.symlink(f"bin/{name}", "busybox") for name in names),
        images.directory("etc"),
        images.file("etc/passwd", "root:x:0:0::/:/bin/sh\n"),
    ]
    archive = images.rootfs_archive(members, tmp_path / "root.tar")
    sandbox.ok("import", archive, "shell")
    seen = tmp_path / "seen"
    command = sandbox.argv("run", "--rm", "--interceptor", interceptor, "shell", "sh", "-c", SCRIPT)
    done = subprocess.run(
        [
            "sh",
            "-c",
            f'exec "$@" 3> {seen}',
            "sh",
            sys.executable,
            "-W",
            "ignore",
            WITNESS,
            *command,
        ],
        env=sandbox.environment(),
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"text\n" in done.stdout
    rows = [json.loads(line) for line in seen.read_text().splitlines()]
    assert len(rows) > 50
    store = os.path.realpath(sandbox.store)
    run_dirs = (f"/dev/shm/sandbox-{os.getuid()}/", f"/tmp/sandbox-{os.getuid()}/")
    allowed = (
        f"{store}/layers/",
        f"{store}/containers/",
        f"{store}/indexes/",
        *run_dirs,
        "/proc/",
        "/dev/",
        "/sys/",
    )
    outside = [
        (name, path)
        for name, path, _ in rows
        if os.path.isabs(path) and not f"{os.path.normpath(path)}/".startswith(allowed)
    ]
    assert outside == []
    assert {name for name, _, is_runtime in rows if not is_runtime} == set()
