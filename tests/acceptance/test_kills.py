# SPDX-License-Identifier: MIT
"""`kill -9` at random times never loses a result that was reported.

How it works: four commands at a time work on one store. Each is killed after a random part of its
usual duration: the command itself, all guests of its container, or its supervisor. If a command
succeeds before that, its result must be in the store until another command begins to remove it.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.harness import images
from tests.harness.command import Sandbox
from tests.harness.polling import until

pytestmark = [pytest.mark.guest, pytest.mark.slow]

AT_ONCE = 4
SEED = 2
GUEST = "for n in $(seq COUNT); do echo $n > /etc/sbx; mv /etc/sbx /etc/sbx2; rm /etc/sbx2; done"
TREE = [
    images.directory("d"),
    *(images.file(f"d/{n}", images.noise(3000)) for n in range(100)),
]


@dataclass
class Known:
    """The results that commands have reported."""

    images: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    kills: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)


@dataclass
class Command:
    """A running command."""

    kind: str
    name: str
    process: subprocess.Popen[bytes]
    deadline: float
    hits: str


class Storm:
    """Starts commands, kills them, and remembers their reports."""

    def __init__(self, sandbox: Sandbox, folder: pathlib.Path, seed: int) -> None:
        self.known = Known()
        self.random = random.Random(seed)
        self._sandbox = sandbox
        self._number = 0
        self._usual = 1.0
        self._rootfs = folder / "rootfs.tar"
        self._rootfs.write_bytes(images.tar(TREE))
        self._archive = folder / "archive.tar"

    def prepare(self) -> None:
        """Create objects that must survive all kills, and measure the duration of an import."""
        self._sandbox.ok("import", self._rootfs, "kept")
        self._sandbox.ok("run", "--name", "kept", "host", "sh", "-c", "echo text > /etc/sbx")
        started = time.monotonic()
        self._sandbox.ok("import", self._rootfs, "kept:2")
        self._usual = time.monotonic() - started
        self.known.images |= {"kept:latest", "kept:2"}
        self.known.containers.add("kept")

    def start(self) -> Command:
        """Start another command."""
        self._number += 1
        kind, name, arguments = self._choose(f"n{self._number}")
        hits = "the command"
        if kind == "run":
            hits = self.random.choice(["the command", "the guests", "the guests", "its supervisor"])
            count = 10 if hits == "the command" else 10_000
            arguments.append(GUEST.replace("COUNT", str(count)))
        process = subprocess.Popen(
            self._sandbox.argv(*arguments),
            env=self._sandbox.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        moment = self.random.uniform(0.0, 1.2) * self._usual
        return Command(kind, name, process, time.monotonic() + moment, hits)

    def _choose(self, name: str) -> tuple[str, str, list[str]]:
        known = self.known
        kind = self.random.choice(
            ["import", "import", "load", "run", "run", "rm", "rm", "tag", "rmi"]
        )
        if kind == "rm":
            spare = sorted(known.containers - {"kept"})
            if spare:
                name = self.random.choice(spare)
                known.containers.discard(name)
                return kind, name, ["rm", "-f", name]
            kind = "run"
        if kind == "rmi":
            spare = sorted(known.images - {"kept:latest", "kept:2"})
            if spare:
                name = self.random.choice(spare)
                known.images.discard(name)
                return kind, name, ["rmi", name]
            kind = "load"
        if kind == "run":
            return kind, name, ["run", "--name", name, "host", "sh", "-c"]
        if kind == "tag":
            return kind, f"{name}:latest", ["tag", "kept", name]
        if kind == "import":
            return kind, f"{name}:latest", ["import", os.fspath(self._rootfs), name]
        archive = self._archive.with_suffix(f".{name}")
        layers = [TREE, [images.file("own", name)]]
        archive.write_bytes(images.docker_archive(layers, tags=[f"{name}:latest"]))
        return kind, f"{name}:latest", ["load", "-i", os.fspath(archive)]

    def end(self, command: Command) -> None:
        """Kill the command when its time is over, or record its report."""
        try:
            command.process.wait(max(0.0, command.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._kill(command)
        else:
            self._believe(command)

    def _kill(self, command: Command) -> None:
        who, victims = "the command", [command.process.pid]
        if command.hits != "the command":
            state = until(lambda: self._state(command))
            if command.process.returncode is not None:
                self._believe(command)
                return
            who, keeper, first = command.hits, state["keeper"], state["pid"]
            victims = [first, *_descendants(first)] if who == "the guests" else [keeper]
        self.random.shuffle(victims)
        self.known.kills[f"{command.kind}: {who}"] += 1
        for victim in victims:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        command.process.wait(100)  # a command ends when its guests end
        if who != "the command":
            self._believe(command)
            self.known.containers.add(command.name)  # its program was started

    def _state(self, command: Command) -> dict[str, Any]:
        """Return the container's state; nothing before its first process exists.

        Until then the state names the command that created the container, and no supervisor.
        """
        if command.process.poll() is not None:
            return {"status": "over"}
        for folder in (self._sandbox.store / "containers").iterdir():
            with suppress(OSError):
                config = json.loads((folder / "config.json").read_bytes())
                state: dict[str, Any] = json.loads((folder / "state.json").read_bytes())
                if config["name"] == command.name and state["keeper"]:
                    return state
        return {}

    def _believe(self, command: Command) -> None:
        code = command.process.returncode
        self.known.done[f"{command.kind}: {code}"] += 1
        if command.kind == "run":
            if code == 0 or code > 128:  # the program ended by itself or by a signal
                self.known.containers.add(command.name)
        elif code == 0 and command.kind in ("rm", "rmi"):
            self.known.gone.add(command.name)
        elif code == 0:
            self.known.images.add(command.name)
        else:
            assert command.kind in ("rm", "rmi"), f"{command.kind} {command.name}: {code}"

    def check(self) -> None:
        """Compare the store with the reports."""
        known = self.known
        report = self._sandbox.call("system", "fsck")
        assert report.returncode == 0, report.stdout.decode()
        names = self._sandbox.ok("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        assert known.images - set(names) == set()
        assert known.gone & set(names) == set()
        containers = self._sandbox.ok("ps", "-a", "--format", "{{.Names}}").split()
        assert known.containers - set(containers) == set()
        assert known.gone & set(containers) == set()


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]
    return []


def _descendants(pid: int) -> list[int]:
    """Return the descendants of a process."""
    found = [pid]
    for known in found:
        found += _children(known)
    return found[1:]


def check_after_kills(sandbox: Sandbox, folder: pathlib.Path, kills: int) -> Known:
    """Kill so many commands; nothing that was reported done may be lost, four times on the way."""
    storm = Storm(sandbox, folder, SEED)
    storm.prepare()
    running: list[Command] = []
    next_check = kills // 4
    try:
        while (so_far := storm.known.kills.total()) < kills:
            while len(running) < AT_ONCE:
                running.append(storm.start())
            first = min(running, key=lambda command: command.deadline)
            storm.end(first)
            running.remove(first)
            if so_far >= next_check:
                storm.check()
                next_check += kills // 4
        for command in running:
            storm.end(command)
    finally:  # leave no process for other tests
        for command in running:
            command.process.kill()
            command.process.wait()
    until(lambda: sandbox.ok("ps", "-q") == "")
    storm.check()
    assert sandbox.ok("diff", "kept").splitlines() == ["C /etc", "A /etc/sbx"]
    sandbox.ok("system", "fsck", "--repair")
    assert sandbox.ok("system", "fsck") == "the store is whole\n"
    storm.check()
    return storm.known


@pytest.mark.timeout(900)
def test_fifty_kills_lose_nothing(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    check_after_kills(sandbox, tmp_path, 50)


# Long: each kill costs as much as a command, and so many are needed to hit every kind of command.
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_hundred_kills_of_every_kind_lose_nothing(
    sandbox: Sandbox, tmp_path: pathlib.Path, record_property: Callable[[str, object], None]
) -> None:
    known = check_after_kills(sandbox, tmp_path, 200)
    for kind in ("import", "load", "run", "rm", "tag", "rmi"):
        assert any(kills.startswith(kind) for kills in known.kills), known.kills
    assert known.kills["run: the guests"] > 0
    record_property("kills", dict(known.kills))
    record_property("ended by themselves", dict(known.done))
