# SPDX-License-Identifier: MIT
"""Eight processes use random verbs on ten containers and kill processes in between.

No verb may fail with an internal error, every state that is shown at the end must be true, and
removed containers must leave no process and no file.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.harness.command import ROOT, Sandbox
from tests.harness.polling import until

pytestmark = [pytest.mark.guest, pytest.mark.slow]

WORKERS = 8
SECONDS = float(os.environ.get("SANDBOX_FUZZ_SECONDS", "9"))
SEED = int(os.environ.get("SANDBOX_FUZZ_SEED", "0"))
SHARED = ["shared1", "shared2"]


def test_states_stay_true_under_random_verbs_and_kills(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    sandbox.environ["XDG_RUNTIME_DIR"] = str(runtime)
    module = [sys.executable, "-m", "tests.harness.lives"]
    workers = [
        subprocess.Popen(
            [*module, str(seed), str(SECONDS), f"own{seed}", *SHARED],
            env=sandbox.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for seed in range(SEED, SEED + WORKERS)
    ]
    try:
        for worker in workers:
            output, errors = worker.communicate(timeout=SECONDS + 250)
            found = json.loads(output or b"null")
            assert found, errors.decode()[-3000:]
            assert found["bugs"] == [], f"{found['bugs']}\n{errors.decode()[-1500:]}"
            _compare_logs(sandbox, found["logs"])
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


def _compare_logs(sandbox: Sandbox, seen: dict[str, str]) -> None:
    """Check that the logs of an existing container still begin with what was read before."""
    for identity, text in seen.items():
        now = sandbox.call("logs", identity)
        assert now.returncode != 0 or now.stdout.decode().startswith(text)


def _processes_with(text: str) -> list[int]:
    """Return the processes whose program or environment contains a path of this test."""
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
