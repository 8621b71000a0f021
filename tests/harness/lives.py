# SPDX-License-Identifier: MIT
"""One worker process of tests/property/test_lives.py: random verbs, checked against a model.

Only this worker changes the container OWN: after every verb its state must be the model's. All
workers change the containers SHARED: in those, only internal errors and lost log lines are found.

    python -m tests.harness.lives SEED SECONDS OWN SHARED...    prints the bugs as JSON
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable

from sandbox.cli.main import main as sandbox
from sandbox.engine import Engine
from sandbox.errors import SandboxError

SCRIPT = (
    "i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo $i; done; "
    "trap 'exit 5' TERM; (sleep 1000 &); echo ready; while :; do read x || sleep 0.1; done"
)
COMMAND = ["sh", "-c", SCRIPT]
PATIENCE = 100
OUR_MISTAKE = 3
# What `stop` may leave instead of 137: the container's handler ran, or was not yet set.
STOPPED = ("exited 5", "exited 143")


class Worker:
    """Does random verbs and keeps the model of its own container."""

    def __init__(self, seed: int, own: str, shared: list[str]) -> None:
        self.rng = random.Random(seed)
        self.own = own
        self.shared = shared
        self.model = "absent"
        self.bugs: list[object] = []
        self.done: list[object] = []  # to the own container
        self.logs: dict[str, str] = {}

    # ---- doing ----------------------------------------------------------------------------

    def verb(self, *arguments: str, kill_after: float | None = None) -> tuple[int, str]:
        """Run a verb in a process, as users do; return its exit code and output."""
        with tempfile.TemporaryFile() as output:
            child = os.fork()
            if child == 0:
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, 0)
                os.dup2(output.fileno(), 1)
                os._exit(sandbox(list(arguments)))
            code = self._wait(child, arguments, kill_after)
            output.seek(0)
            text = output.read().decode()
        if code == OUR_MISTAKE:
            self.bugs.append([arguments, "a mistake of ours"])
        return code, text

    def _wait(self, child: int, arguments: tuple[str, ...], kill_after: float | None) -> int:
        # An exec in a container that another worker has paused waits until the container goes on.
        may_wait = arguments[0] == "exec" and self.own not in arguments
        patience = 3.0 if may_wait else PATIENCE
        end = time.monotonic() + (patience if kill_after is None else kill_after)
        while not (done := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
                if kill_after is None and not may_wait:
                    self.bugs.append([arguments, "does not end"])
            time.sleep(0.01)
        return os.waitstatus_to_exitcode(done[1])

    def murder(self, which: str, name: str) -> bool:
        """Kill a container's supervisor or main process."""
        try:
            pid = getattr(Engine().containers.get(name).state, which)
        except SandboxError:
            return False
        if not pid:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    # ---- the own container -------------------------------------------------------------------

    def own_step(self) -> None:
        """Do a verb to the own container and compare."""
        before = self.model
        what = self.rng.choice(sorted(VERBS))
        arguments, after = VERBS[what]
        wanted = after.get(before, "refused")
        code, _ = self.verb(*(word.replace("NAME", self.own) for word in arguments))
        self.done.append([what, before, code])
        if (code != 0) != (wanted == "refused"):
            self.bugs.append([what, before, f"exit {code}"])
        if wanted != "refused":
            self.model = wanted
        self.compare(what, before)

    def own_murder(self) -> None:
        """Kill the supervisor, the main process or a command on its way."""
        which = self.rng.choice(["keeper", "pid", "command"])
        before = self.model
        if which == "command":
            what = self.rng.choice(sorted(VERBS))
            words = [word.replace("NAME", self.own) for word in VERBS[what][0]]
            self.verb(*words, kill_after=self.rng.random() * 0.3)
            self.done.append([f"killed {what}", before, self.shown()])
            # The supervisor may finish what the command began, until `rm -f`.
            self.verb("rm", "-f", self.own)
            self.model = "absent"
            self.compare(f"killed {what}", before)
        elif before in ("running", "paused"):
            self.murder(which, self.own)
            self.done.append([f"murder of {which}", before])
            self.model = "exited 137"
            self.compare(f"murder of {which}", before)

    def compare(self, what: str, before: str) -> None:
        """Compare the state with the model's; a change may take a moment to show."""
        end = time.monotonic() + PATIENCE
        while (shown := self.shown()) != self.model and time.monotonic() < end:
            if what == "stop" and shown in STOPPED:
                self.model = shown
            time.sleep(0.02)
        if shown != self.model:
            self.bugs.append([what, before, "shown", shown, "wanted", self.model])
            self.model = shown

    def shown(self) -> str:
        """Return the state that `inspect` shows."""
        code, text = self.verb("inspect", self.own)
        if code != 0:
            return "absent"
        state = json.loads(text)[0]["State"]
        if state["Running"] and not os.path.exists(f"/proc/{state['Pid']}"):
            return f"{state['Status']} without a process"
        exited = state["Status"] == "exited"
        return f"exited {state['ExitCode']}" if exited else str(state["Status"])

    # ---- everybody's containers ----------------------------------------------------------------

    def shared_step(self) -> None:
        """Do a verb to a container that other workers use at the same time."""
        name = self.rng.choice(self.shared)
        restart = self.rng.choice(["no", "no", "always", "on-failure:2"])
        choices: list[Callable[[], object]] = [
            lambda: self.verb("run", "-di", "--name", name, "--restart", restart, "host", *COMMAND),
            lambda: self.verb("run", "--rm", "--name", name, "host", "true"),
            lambda: self.verb("create", "--name", name, "host", *COMMAND),
            *(lambda verb=verb: self.verb(verb, name) for verb in ("start", "kill", "pause")),
            *(lambda verb=verb: self.verb(verb, name) for verb in ("unpause", "inspect", "diff")),
            lambda: self.verb("stop", "-t", "1", name),
            lambda: self.verb("restart", "-t", "0", name),
            lambda: self.verb("exec", "-d", name, "sleep", "1000"),
            lambda: self.verb("exec", name, "true"),
            lambda: self.verb("rename", name, self.rng.choice(self.shared)),
            lambda: self.verb("update", "--restart", "no", name),
            lambda: self.verb("ps", "-a"),
            lambda: self.verb("rm", "-f", name),
            lambda: self.murder("keeper", name),
            lambda: self.murder("pid", name),
        ]
        self.rng.choice(choices)()

    def read_logs(self) -> None:
        """Read a log: the lines that were read before must still be there."""
        name = self.rng.choice([self.own, *self.shared])
        try:
            identity = Engine().containers.get(name).config.id
        except SandboxError:
            return
        code, text = self.verb("logs", identity)
        if code != 0:
            return
        if not text.startswith(self.logs.get(identity, "")):
            self.bugs.append(["logs", name, "lines are lost"])
        self.logs[identity] = text

    def step(self) -> None:
        """Do one thing."""
        kinds = [self.own_step, self.own_murder, self.shared_step, self.read_logs]
        self.rng.choices(kinds, [4, 1, 3, 1])[0]()


_ALIVE = {"running": "running", "paused": "paused"}
_RM = dict.fromkeys(["created", "exited 137", *STOPPED], "absent")
_GONE = dict.fromkeys([*_RM, "exited 0"], "running")
_REST = {state: state for state in _RM}
# Each verb, its arguments, and the state after it by the state before. The verb is refused in
# a state that is missing.
VERBS: dict[str, tuple[list[str], dict[str, str]]] = {
    "run": (["run", "-di", "--name", "NAME", "host", *COMMAND], {"absent": "running"}),
    "create": (["create", "--name", "NAME", "host", *COMMAND], {"absent": "created"}),
    "start": (["start", "NAME"], {**_GONE, "running": "running"}),
    "kill": (["kill", "NAME"], dict.fromkeys(_ALIVE, "exited 137")),
    "stop": (["stop", "-t", "0", "NAME"], {**_REST, **dict.fromkeys(_ALIVE, "exited 137")}),
    "pause": (["pause", "NAME"], {"running": "paused"}),
    "unpause": (["unpause", "NAME"], {"paused": "running"}),
    "exec": (["exec", "NAME", "true"], {"running": "running"}),
    "exec -d": (["exec", "-d", "NAME", "sleep", "1000"], {"running": "running"}),
    "rm": (["rm", "NAME"], _RM),
    "rm -f": (["rm", "-f", "NAME"], dict.fromkeys([*_RM, *_ALIVE, "absent"], "absent")),
    "restart": (["restart", "-t", "0", "NAME"], {**_GONE, **dict.fromkeys(_ALIVE, "running")}),
    "logs": (["logs", "NAME"], {**_REST, **_ALIVE}),
}


def main() -> None:
    """Work until the time is over; see the top of this file."""
    seed, seconds, own, *shared = sys.argv[1:]
    worker = Worker(int(seed), own, shared)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end and not worker.bugs:
        worker.step()
    if worker.bugs:
        worker.bugs.append(worker.done[-8:])
    print(json.dumps({"bugs": worker.bugs, "logs": worker.logs}))


if __name__ == "__main__":
    main()
