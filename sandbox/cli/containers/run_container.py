# SPDX-License-Identifier: MIT
"""What `run` and `create` do with their options.

Rules: no click here; the usual command lines are run without it (`quick_words`).

Does not know: how a container is made or supervised.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.cli.containers.run_flags import (
    Flags,
    check_streams,
    request_of,
    write_cidfile,
)
from sandbox.cli.open_engine import open_to_start
from sandbox.cli.stdio import tell
from sandbox.errors import ImageNotFound, OtherPlatform, SandboxError, UsageError
from sandbox.runtime import spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.engine.containers.config import CreateRequest
    from sandbox.models.container import Container

_T = TypeVar("_T")


def run(options: dict[str, Any]) -> int:
    """Create and run a container; return its exit code."""
    if options["detach"] and options["attach"]:
        raise UsageError("conflicting options: cannot specify both --attach and --detach")
    request, flags = request_of(options)
    problem = spec.tty_conflict(
        tty=request.tty,
        attach_stdin=request.open_stdin and not options["detach"],
        stdin_is_tty=os.isatty(0),
    )
    if problem is not None:
        tell(f"sandbox: {problem}")
        return 1
    return with_image(request, flags, lambda: _run(request, flags, options))


def _run(request: CreateRequest, flags: Flags, options: dict[str, Any]) -> int:
    """Run the container in the way that needs the fewest processes."""
    from sandbox.runtime.process.start import Attachment

    streams = check_streams(options["attach"])
    if options["detach_keys"] is not None:
        from sandbox.runtime.attach import parse_keys

        parse_keys(options["detach_keys"])  # wrong keys are an error even without a terminal

    def created(container: Container) -> None:
        write_cidfile(flags.cidfile, container)
        if streams == {"stdin"}:  # without an output stream, print the id
            print(container.config.id)

    engine = open_to_start()
    if options["detach"]:
        print(engine.containers.run_detached(request, on_create=created).config.id)
        return 0
    policy = request.policy
    watched = policy.memory or policy.cpus or policy.health
    if flags.trace and (watched or policy.restart != "no"):
        raise UsageError(
            "--trace runs without a supervisor: no --memory, --cpus, --restart or health check"
        )
    goes_with_us = request.auto_remove and not watched and not (request.tty and request.open_stdin)
    if flags.trace or (goes_with_us and options["sig_proxy"] and not options["attach"]):
        attachment = Attachment(stdin=request.open_stdin, trace=flags.trace)
        return engine.containers.run(request, attachment, on_create=created)
    from sandbox.runtime.attach import Wishes, chosen_keys

    wishes = Wishes(
        stdin=request.open_stdin and (not streams or "stdin" in streams),
        tty=request.tty,
        keys=chosen_keys(options["detach_keys"]),
        proxy=options["sig_proxy"] and not request.tty,
        output=not streams or "stdout" in streams,
        errors=not streams or "stderr" in streams,
    )
    return engine.containers.run_attached(request, wishes, on_create=created) or 0


def with_image(request: CreateRequest, flags: Flags, act: Callable[[], _T]) -> _T:
    """Do *act*, which needs the image; pull the image before, or only if it is missing."""
    from sandbox.engine.containers.config import check_machine
    from sandbox.models.reference import is_pullable

    if is_pullable(request.image):
        check_machine(request)
    if flags.pull == "always" and is_pullable(request.image):
        _pull(request, flags)
        return act()
    try:
        return act()
    except ImageNotFound as exc:
        from sandbox.engine.registries.session import is_offline

        if flags.pull == "never" or is_offline() or not is_pullable(request.image):
            raise
        if not flags.quiet:
            is_other = isinstance(exc, OtherPlatform)
            text = exc.message if is_other else exc.message.partition(" (")[0]
            tell(f"{text[:1].upper()}{text[1:]}")
        near = exc.message.partition(" (did you mean ")[2]
    _pull(request, flags, near)
    return act()


def _pull(request: CreateRequest, flags: Flags, near: str = "") -> None:
    """Pull the image; if that fails, the error names the image here whose name is *near*."""
    from sandbox.cli.images.pull import pull_for_run

    with nullcontext() if flags.lock is None else flags.lock.mentioned(request.image):
        try:
            pull_for_run(request.image, request.platform, quiet=flags.quiet)
        except SandboxError as exc:
            if near:
                exc.message += f" (did you mean {near}"
            raise


def create(options: dict[str, Any]) -> None:
    """Create a container without starting it, and print its id."""
    request, flags = request_of(options)
    engine = open_to_start()
    container = with_image(request, flags, lambda: engine.containers.create(request))
    write_cidfile(flags.cidfile, container)
    print(container.config.id)
