# SPDX-License-Identifier: MIT
"""Random verbs from several processes on a few containers, with murder in between.

Whatever happens, no verb may fail by a mistake of ours, every state that is shown at the end
must be true, and what is removed must leave no process and no file.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.harness.command import Sandbox
from tests.harness.polling import until

pytestmark = [pytest.mark.guest, pytest.mark.slow]

WORKERS = 4
SECONDS = float(os.environ.get("SANDBOX_FUZZ_SECONDS", "15"))
SEED = int(os.environ.get("SANDBOX_FUZZ_SEED", "0"))
NAMES = ["c1", "c2", "c3"]

WORKER = r"""
import contextlib, io, json, os, random, signal, sys, time
from sandbox.cli.main import main
from sandbox.engine import Engine
from sandbox.errors import SandboxError

seed, seconds, names = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
rng = random.Random(seed)
bugs = []

def verb(*arguments):
    # A process for each, as users have it: descriptors, signals and children are its own.
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1):
            os.dup2(null, fd)
        os._exit(main(list(arguments)))
    patience = time.monotonic() + (3 if arguments[0] == "exec" else 25)
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > patience:
            os.kill(child, signal.SIGKILL)
            if arguments[0] != "exec":  # that one may have been paused
                bugs.append((arguments, "does not end"))
        time.sleep(0.01)
    code = os.waitstatus_to_exitcode(done[1])
    if code == 3:
        bugs.append((arguments, code))

def murder(which, name):
    try:
        state = Engine().container(name).state
    except SandboxError:
        return
    pid = getattr(state, which)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

script = "trap 'exit 5' TERM; (sleep 1000 &); while :; do read x || sleep 0.1; done"
command = ["sh", "-c", script]
end = time.monotonic() + seconds
while time.monotonic() < end:
    name = rng.choice(names)
    restart = rng.choice(["no", "no", "always", "on-failure:2"])
    what = rng.choice([
        lambda: verb("run", "-di", "--name", name, "--restart", restart, "host", *command),
        lambda: verb("run", "--rm", "--name", name, "host", "true"),
        lambda: verb("create", "--name", name, "host", *command),
        lambda: verb("start", name),
        lambda: verb("stop", "-t", "1", name),
        lambda: verb("kill", name),
        lambda: verb("restart", "-t", "0", name),
        lambda: verb("pause", name),
        lambda: verb("unpause", name),
        lambda: verb("exec", "-d", name, "true"),
        lambda: verb("exec", name, "true"),
        lambda: verb("exec", "-d", name, "sleep", "1000"),
        lambda: verb("rename", name, rng.choice(names)),
        lambda: verb("update", "--restart", "no", name),
        lambda: verb("logs", name),
        lambda: verb("ps", "-a"),
        lambda: verb("inspect", name),
        lambda: verb("rm", "-f", name),
        lambda: murder("keeper", name),
        lambda: murder("pid", name),
    ])
    what()
print(json.dumps(bugs))
"""


def test_whatever_happens_the_truth_is_told(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    sandbox.environ["XDG_RUNTIME_DIR"] = str(runtime)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(seed), str(SECONDS), *NAMES],
            env=sandbox.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for seed in range(SEED, SEED + WORKERS)
    ]
    try:
        for worker in workers:
            output, errors = worker.communicate(timeout=SECONDS + 60)
            assert json.loads(output or b"null") == [], errors.decode()[-3000:]
        for line in sandbox.ok("ps", "-a", "--format", "{{.ID}} {{.State}}").splitlines():
            identity, shown = line.split()
            state = json.loads(sandbox.ok("inspect", identity))[0]["State"]
            if shown in ("running", "paused"):
                assert pathlib.Path(f"/proc/{state['Pid']}").exists()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        left = sandbox.ok("ps", "-aq").split()
        if left:
            sandbox.ok("rm", "-f", *left)
    assert [path for path in (runtime / "sandbox").iterdir() if path.name != "interceptor"] == []
    assert list((sandbox.store / "containers").iterdir()) == []
    until(lambda: not _processes_with(str(tmp_path)))
    assert "whole" in sandbox.ok("system", "fsck")


def _processes_with(text: str) -> list[int]:
    """Return the processes that were started from, or with, a path of this test."""
    found = []
    for name in os.listdir("/proc"):
        try:
            environ = pathlib.Path(f"/proc/{name}/environ").read_bytes()
            exe = os.readlink(f"/proc/{name}/exe")
        except (OSError, ValueError):
            continue
        ours = text.encode() in environ or text in exe
        if name.isdecimal() and ours and int(name) != os.getpid():
            found.append(int(name))
    return found
