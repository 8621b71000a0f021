# SPDX-License-Identifier: MIT
"""stress-ng's tests of files, processes, signals and threads find no wrong result.

A shortened run: each stressor makes a fixed number of rounds and verifies its results. Left out are
stressors that need a second or more for a round, that do not count rounds (exec, sem), that
sometimes hang natively (sigio), and that create processes without a limit.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.harness import images

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(600)]

# A stressor and its number of rounds; OPTIONS has further arguments.
STRESSORS = {
    "files": {
        "access": 200,
        "chmod": 50,
        "chown": 50,
        "dentry": 2048,
        "dir": 200,
        "dirmany": 300,
        "dup": 40,
        "fcntl": 3000,
        "file-ioctl": 3000,
        "filename": 40,
        "flock": 50_000,
        "fstat": 500,
        "getdent": 3000,
        "inotify": 2,
        "lease": 2000,
        "lockf": 3000,
        "lockofd": 50_000,
        "mknod": 8,
        "open": 300,
        "procfs": 20,
        "rename": 40,
        "seek": 3000,
        "sendfile": 500,
        "touch": 2000,
        "utime": 1500,
        "xattr": 3,
    },
    "processes": {
        "clone": 100,
        "daemon": 200,
        "exit-group": 16,
        "fork": 200,
        "kill": 100,
        "pidfd": 400,
        "ptrace": 20_000,
        "session": 50,
        "spawn": 20,
        "switch": 50_000,
        "vfork": 3000,
        "wait": 150,
    },
    "signals": {
        "itimer": 40,
        "sigabrt": 200,
        "sigchld": 800,
        "sigfd": 50_000,
        "sigfpe": 30_000,
        "signal": 20_000,
        "signest": 50_000,
        "sigpending": 20_000,
        "sigpipe": 5000,
        "sigq": 50_000,
        "sigrt": 30_000,
        "sigsegv": 30_000,
        "sigsuspend": 15_000,
        "sigtrap": 50_000,
        "timer": 2000,
    },
    "threads": {
        "context": 200,
        "futex": 1000,
        "membarrier": 8,
        "mutex": 20_000,
        "pthread": 800,
        "race-sched": 150,
    },
}
OPTIONS = {
    "clone": "clone-max 32",
    "pthread": "pthread-max 64",
    "seek": "seek-size 8m",
}
# A limit that only ends a hanging stressor.
SECONDS = 200


def job(stressors: dict[str, int]) -> str:
    """Return the lines of a job file that runs the stressors one after another."""
    lines = ["run sequential", "verify", "temp-path /tmp", f"timeout {SECONDS}"]
    for name, rounds in stressors.items():
        lines += [f"{name} 1", f"{name}-ops {rounds}", OPTIONS.get(name, "")]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def stress_image(once: Callable[..., Sandbox]) -> Sandbox:
    """A store with the image `stress`: stress-ng and its libraries only."""

    def make(sandbox: Sandbox, folder: pathlib.Path) -> None:
        program = shutil.which("stress-ng")
        assert program
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
        paths = [program, *sorted(set(re.findall(r"(/\S+) \(", listed.stdout)))]
        members = [images.directory("tmp", mode=0o1777)]
        members += [
            images.file(path.lstrip("/"), pathlib.Path(path).read_bytes(), mode=0o755)
            for path in paths
        ]
        archive = folder / "stress.tar"
        archive.write_bytes(images.tar(members))
        sandbox.ok("import", archive, "stress")
        archive.unlink()

    return once("stress", make)


def check(sandbox: Sandbox, image: str, kind: str, folder: pathlib.Path) -> None:
    jobs = folder / "jobs"
    jobs.write_text(job(STRESSORS[kind]))
    user = "1000:1000" if kind == "processes" else "0:0"  # spawn refuses root
    flags = ["-u", user, "-w", "/tmp", "-v", f"{jobs}:/jobs:ro"]
    done = sandbox.call("run", "--rm", *flags, image, "stress-ng", "--job", "/jobs", timeout=500)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    assert not re.search("fail:|error:|skipping|aborted early", said), said
    assert f"dispatching hogs: 1 {', 1 '.join(STRESSORS[kind])}\n" in said


@pytest.mark.parametrize("kind", STRESSORS)
def test_no_stressor_finds_a_wrong_result(
    stress_image: Sandbox, kind: str, tmp_path: pathlib.Path
) -> None:
    check(stress_image, "stress", kind, tmp_path)


def test_no_file_stressor_finds_a_wrong_result_in_the_host_s_tree(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    check(sandbox, "host", "files", tmp_path)
