# SPDX-License-Identifier: MIT
"""The process of one build for the server; it prints lines of JSON.

Does not know: HTTP. The request is its argument, the context its standard input.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from sandbox.builder.request import BuildRequest, parse_host
from sandbox.engine import Engine
from sandbox.errors import SandboxError, UsageError
from sandbox.models.reference import parse_reference
from sandbox.runtime.process import reaper

if TYPE_CHECKING:
    from sandbox.builder.progress import Vertex

_STEP = re.compile(r"\[(?:(\S+) )? *(\d+)/(\d+)\] (.*)", re.DOTALL)


_FAILED = re.compile(r'process "(.*)" did not complete successfully: exit code: (\d+)', re.DOTALL)


class Lines:
    """Shows a build in the format of the classic builder.

    A step is held back until it is known whether it was executed: an instruction that changes
    no file was "cached" if the next one that does was cached.
    """

    def __init__(self, out: int, *, quiet: bool) -> None:
        """Write to the descriptor *out*."""
        self._out = out
        self._quiet = quiet
        self._lock = threading.Lock()
        self._held: list[str] = []
        self._was_cached = False
        self.is_silent = True

    def tell(self, **line: Any) -> None:
        """Write one line."""
        self.is_silent = False
        data = json.dumps(line).encode() + b"\r\n"
        with self._lock:
            while data:
                data = data[os.write(self._out, data) :]

    def say(self, text: str) -> None:
        """Write text for the client to show."""
        if not self._quiet:
            self.tell(stream=text)

    def started(self, vertex: Vertex) -> None:
        """Write the title of the step."""
        match = _STEP.fullmatch(vertex.name)
        if match is not None:
            if match[4].startswith("FROM "):
                self.decide(cached=self._was_cached)
            self._held.append(f"Step {match[2]}/{match[3]} : {match[4]}\n")
        elif not vertex.name.startswith(("[internal]", "exporting")):
            self.say(f"{vertex.name}\n")

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Write output of the step; standard error is red."""
        del vertex
        self.decide(cached=False)
        text = data.decode("utf-8", "replace")
        if text:
            self.say(f"\x1b[91m{text}\x1b[0m" if stream == 2 else text)

    def ended(self, vertex: Vertex) -> None:
        """Write that the step was cached, if it was."""
        match = _STEP.fullmatch(vertex.name)
        if match is not None and not vertex.idle:
            self._was_cached = vertex.cached and not match[4].startswith("FROM ")
            self.decide(cached=self._was_cached)

    @property
    def has_steps(self) -> bool:
        """Tell whether a step is held back."""
        return bool(self._held)

    def decide(self, *, cached: bool) -> None:
        """Show the steps that were held back."""
        for text in self._held:
            self.say(text)
            if cached:
                self.say(" ---> Using cache\n")
        self._held.clear()


def request_of(data: dict[str, Any]) -> BuildRequest:
    """Return the engine's request."""
    return BuildRequest(
        context=data["remote"] or "-",
        stdin=sys.stdin.buffer,
        dockerfile=data["dockerfile"],
        tags=tuple(data["tags"]),
        build_args={key: value for key, value in data["args"].items() if value is not None},
        labels={key: value or "" for key, value in data["labels"].items()},
        target=data["target"],
        no_cache=data["no_cache"],
        pull=data["pull"],
        platform=data["platform"],
        network=data["network"],
        hosts=tuple(parse_host(text) for text in data["hosts"]),
        squash=data["squash"],
        jobs=1,
        every_step=True,
        memory=data["memory"],
    )


def is_foreign(engine: Engine, names: list[str]) -> bool:
    """Tell whether the cache comes from images that the store lacks, so it cannot be used."""

    def is_here(name: str) -> bool:
        try:
            engine.images.get(name)
        except SandboxError:
            return False
        return True

    return bool(names) and not any(is_here(name) for name in names)


def told(text: str) -> tuple[str, int]:
    """Return a failure in the classic builder's words, and its exit code.

    >>> told('process "/bin/sh -c false" did not complete successfully: exit code: 1')
    ("The command '/bin/sh -c false' returned a non-zero code: 1", 1)
    """
    match = _FAILED.search(text)
    if match is None:
        return text.removeprefix("failed to solve: "), 1
    return f"The command '{match[1]}' returned a non-zero code: {match[2]}", int(match[2])


def main() -> None:
    """Build the request in the first argument."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    data = json.loads(sys.argv[1])
    reaper.die_with_parent(signal.SIGTERM)  # no server would receive the image's id
    if os.getppid() != data["server"]:
        return
    out = os.dup(1)
    os.dup2(2, 1)  # stray output must not mix with the lines of JSON
    lines = Lines(out, quiet=data["quiet"])
    for name in data["without_effect"]:
        lines.say(f"[Warning] {name} has no effect: see docs/docker-compat.md\n")
    try:
        engine = Engine()
        before = {str(image.id) for image in engine.images.list()}
        data["no_cache"] |= is_foreign(engine, data["cache_from"])
        result = engine.builds.build(request_of(data), lines)
    except SandboxError as exc:
        text, code = told(exc.message.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        if lines.is_silent and not lines.has_steps:
            is_written_wrong = isinstance(exc.__cause__, UsageError)
            lines.tell(status=400 if is_written_wrong else exc.http_status, message=text)
            return
        lines.decide(cached=False)
        lines.tell(errorDetail={"code": code, "message": text}, error=text)
        return
    lines.decide(cached=result.image_id in before and not data["no_cache"])
    lines.tell(aux={"ID": result.image_id})
    if data["quiet"]:
        lines.tell(stream=f"{result.image_id}\n")
        return
    lines.say(f"Successfully built {result.image_id.removeprefix('sha256:')[:12]}\n")
    for name in data["tags"]:
        lines.say(f"Successfully tagged {parse_reference(name).with_default_tag().familiar}\n")


if __name__ == "__main__":
    main()
