# SPDX-License-Identifier: MIT
"""One build for the server, in a process of its own; it speaks lines of JSON.

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
from sandbox.errors import SandboxError
from sandbox.models.reference import parse_reference
from sandbox.runtime import supervise

if TYPE_CHECKING:
    from sandbox.builder.progress import Vertex

_STEP = re.compile(r"\[(?:(\S+) )?(\d+)/(\d+)\] (.*)", re.DOTALL)


_FAILED = re.compile(r'process "(.*)" did not complete successfully: exit code: (\d+)', re.DOTALL)


class Lines:
    """Shows a build as the classic builder did."""

    def __init__(self, out: int, *, quiet: bool) -> None:
        """Write to the descriptor *out*."""
        self._out = out
        self._quiet = quiet
        self._lock = threading.Lock()

    def tell(self, **line: Any) -> None:
        """Write one line."""
        data = json.dumps(line).encode() + b"\r\n"
        with self._lock:
            while data:
                data = data[os.write(self._out, data) :]

    def say(self, text: str) -> None:
        """Write text that the client shows."""
        if not self._quiet:
            self.tell(stream=text)

    def started(self, vertex: Vertex) -> None:
        """Name the step."""
        match = _STEP.fullmatch(vertex.name)
        if match is not None:
            self.say(f"Step {match[2]}/{match[3]} : {match[4]}\n")
        elif not vertex.name.startswith("[internal]"):
            self.say(f"{vertex.name}\n")

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Pass on what the step says."""
        del vertex, stream
        self.say(data.decode("utf-8", "replace"))

    def ended(self, vertex: Vertex) -> None:
        """Say that it was not done again."""
        if vertex.cached and _STEP.fullmatch(vertex.name):
            self.say(" ---> Using cache\n")


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
        memory=data["memory"],
    )


def told(text: str) -> tuple[str, int]:
    """Return a failure in the classic builder's words, and its exit code.

    >>> told('process "/bin/sh -c false" did not complete successfully: exit code: 1')
    ("The command '/bin/sh -c false' returned a non-zero code: 1", 1)
    """
    match = _FAILED.search(text)
    if match is None:
        return text, 1
    return f"The command '{match[1]}' returned a non-zero code: {match[2]}", int(match[2])


def main() -> None:
    """Build what the first argument says."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    data = json.loads(sys.argv[1])
    supervise.die_with_parent(signal.SIGTERM)  # nobody would take the image's id
    if os.getppid() != data["server"]:
        return
    out = os.dup(1)
    os.dup2(2, 1)  # whatever prints by mistake is no line of ours
    lines = Lines(out, quiet=data["quiet"])
    try:
        result = Engine().build(request_of(data), lines)
    except SandboxError as exc:
        text, code = told(exc.message.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        lines.tell(errorDetail={"code": code, "message": text}, error=text)
        return
    lines.tell(aux={"ID": result.image_id})
    if data["quiet"]:
        lines.tell(stream=f"{result.image_id}\n")
        return
    lines.say(f"Successfully built {result.image_id.removeprefix('sha256:')[:12]}\n")
    for name in data["tags"]:
        lines.say(f"Successfully tagged {parse_reference(name).with_default_tag().familiar}\n")


if __name__ == "__main__":
    main()
