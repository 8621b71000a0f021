# SPDX-License-Identifier: MIT
"""Run attack programs in containers, with the kernel's fence or without it.

An attack is a program of tests/attacks/programs that prints `WHAT: done` or `WHAT: ERROR` for each
attempt. Without the fence it must succeed: otherwise it proves nothing. With the fence it must
fail, and the user's files and the image's layers must be as they were.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import signal
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tests.harness import images
from tests.harness.apiserver import Server
from tests.harness.cbuild import ROOT, build_guest_program
from tests.harness.command import Sandbox
from tests.harness.oracle import tree_hash
from tests.harness.polling import until

CSRC = ROOT / "csrc"
PROGRAMS = ROOT / "tests" / "attacks" / "programs"
IMAGE = "attack"
SECRET = "the-decoy-key-of-the-user"
WAYS = ("run", "exec", "health check", "RUN", "API")
INTERCEPTORS = ("trap", "rewrite", "ptrace")
# A line of a program; the progress of a build puts a number and a time before it.
LINE = re.compile(r"(?m)^(?:#\d+ [\d.]+ )?([^:\n]+): (done|E[A-Z0-9]+|errno-\d+)\r?$")
DONE = "done"


def program(name: str, *command: str) -> pathlib.Path:
    """Compile tests/attacks/programs/NAME.c, as a static program unless *command* says how.

    A program may include the layouts of shared memory.
    """
    layouts = b"".join((CSRC / "base" / name).read_bytes() for name in ("abi.h", "shared_abi.h"))
    words = [*(command or ("gcc", "-static")), "-I", str(CSRC), f"-DLAYOUT={zlib.crc32(layouts)}"]
    return build_guest_program(name, *words, programs=PROGRAMS)


def results(output: str) -> dict[str, str]:
    """Return how each attempt ended.

    >>> results("read the key: done\\n#5 0.12 make a file: EACCES\\n")
    {'read the key': 'done', 'make a file': 'EACCES'}
    """
    return dict(LINE.findall(output))


def successes(found: dict[str, str]) -> list[str]:
    """Return the attempts that succeeded."""
    return [what for what, how in found.items() if how == DONE]


@dataclass
class Arena:
    """A store with an image of attack programs, and a home with a decoy key and a canary."""

    sandbox: Sandbox
    folder: pathlib.Path
    is_fenced: bool
    before: dict[str, str] = field(default_factory=dict)
    running: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> pathlib.Path:
        """The user's home directory."""
        return self.folder / "home"

    @property
    def key(self) -> pathlib.Path:
        """The decoy: a private key that no container shows."""
        return self.home / ".ssh" / "id_ed25519"

    @property
    def canary(self) -> pathlib.Path:
        """A directory that no container shows; nobody changes it."""
        return self.home / "canary"

    def prepare(self, names: Sequence[str]) -> None:
        """Make the home and the image; each program lies in the image's root."""
        self.key.parent.mkdir(parents=True)
        self.key.write_text(SECRET)
        self.canary.mkdir()
        (self.canary / "file").write_text("as it was")
        members = [
            images.file(name, program(name).read_bytes(), mode=0o755) for name in (*names, "idle")
        ]
        members += [images.directory(name, mode=0o1777) for name in ("tmp", "etc")]
        self.sandbox.ok("import", images.rootfs_archive(members, self.folder / "root.tar"), IMAGE)
        self.before = self.state()

    def state(self) -> dict[str, str]:
        """Return hashes of what no attack may change: the user's files, and the layers'."""
        places = [self.key.parent, self.canary, *self.sandbox.store.glob("layers/*/diff")]
        return {str(place): tree_hash(place) for place in places}

    def attack(
        self,
        *command: str | pathlib.Path,
        way: str = "run",
        interceptor: str = "",
        network: str = "",
        options: Sequence[str] = (),
    ) -> dict[str, str]:
        """Run `/PROGRAM ARGUMENT...` in a container, and return how each attempt ended.

        *options* are flags of `run` or `create`; the other ways take none.
        """
        words = [f"/{command[0]}", *map(str, command[1:])]
        engine = self.engine(interceptor)
        if network:
            options = (*options, "--network", network)
        match way:
            case "run":
                output = engine.ok("run", "--rm", *options, IMAGE, *words)
            case "exec":
                output = engine.ok("exec", self.idle(interceptor, options), *words)
            case "health check":
                output = self._health_check(engine, words, options)
            case "RUN":
                output = self._build(engine, words, options)
            case "API":
                output = self._api(engine, words, network)
            case _:
                raise ValueError(way)
        if self.is_fenced:
            assert SECRET not in output
        found = results(output)
        assert found, output
        return found

    def engine(self, interceptor: str = "") -> Sandbox:
        """Return the command, with an interceptor."""
        if not interceptor:
            return self.sandbox
        environ = {**self.sandbox.environ, "SANDBOX_INTERCEPTOR": interceptor}
        return replace(self.sandbox, environ=environ)

    def idle(self, interceptor: str = "", options: Sequence[str] = ()) -> str:
        """Return the name of a container that waits; there is one for each kind."""
        key = repr((interceptor, options))
        if key not in self.running:
            name = f"idle{len(self.running)}"
            engine = self.engine(interceptor)
            engine.ok("run", "-d", "--name", name, *options, IMAGE, "/idle")
            self.running[key] = name
        return self.running[key]

    def _health_check(self, engine: Sandbox, words: list[str], options: Sequence[str]) -> str:
        check = f"HEALTHCHECK --interval=1s --timeout=60s CMD {json.dumps(words)}"
        self.sandbox.ok("import", "--change", check, self.folder / "root.tar", "checked")
        identity = engine.ok("run", "-d", *options, "checked", "/idle").strip()

        def log() -> str:
            shown = json.loads(self.sandbox.ok("inspect", identity))[0]["State"]["Health"]["Log"]
            return shown[0]["Output"] if shown else ""

        try:
            return until(log)
        finally:
            self.sandbox.ok("rm", "-f", identity)

    def _build(self, engine: Sandbox, words: list[str], options: Sequence[str]) -> str:
        with tempfile.TemporaryDirectory(dir=self.folder) as context:
            text = f"FROM {IMAGE}\nRUN {json.dumps(words)}\n"
            pathlib.Path(context, "Dockerfile").write_text(text)
            done = engine.call("build", "--no-cache", "--progress=plain", *options, context)
        output = (done.stdout + done.stderr).decode()
        assert done.returncode == 0, output
        return output

    def _api(self, engine: Sandbox, words: list[str], network: str) -> str:
        with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as short:
            server = Server(engine, f"{short}/api", self.folder / "api.log")
            server.start()
            try:
                settings = {"NetworkMode": network or "default"}
                body = {"Image": IMAGE, "Cmd": words, "HostConfig": settings}
                status, made = server.call("POST", "/containers/create", body)
                assert status == 201, made
                server.call("POST", f"/containers/{made['Id']}/start")
                server.call("POST", f"/containers/{made['Id']}/wait")
            finally:
                server.stop(signal.SIGTERM)
        output = engine.ok("logs", made["Id"])
        engine.ok("rm", made["Id"])
        return output

    def close(self) -> None:
        """Remove the containers; with the fence, nothing may have changed."""
        for name in self.running.values():
            self.sandbox.ok("rm", "-f", name)
        if self.is_fenced:
            assert self.state().items() >= self.before.items()


@contextmanager
def arena(folder: pathlib.Path, names: Sequence[str], *, fenced: bool) -> Iterator[Arena]:
    """Give an arena whose image holds these programs, in a fresh folder."""
    environ = {"HOME": str(folder / "home")}
    if not fenced:
        environ["SANDBOX_TEST_UNFENCED"] = "1"
    made = Arena(Sandbox(folder / "store", environ), folder, fenced)
    made.prepare(names)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
