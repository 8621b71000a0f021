# SPDX-License-Identifier: MIT
"""``serve``, ``env`` and ``docker``: the HTTP API, and docker's own command line on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress

import click

from sandbox.cli.output.format import emit
from sandbox.errors import RuntimeFailed, UsageError
from sandbox.models.policy import SECOND, parse_duration

_PATIENCE = 60.0
_IDLE = "5m"


def socket_path() -> str:
    """Return the path of the API's socket."""
    from sandbox.runtime import rundir

    return f"{rundir.base_dir(os.environ)}/docker.sock"


@click.command()
@click.option("--socket", "path", metavar="PATH", help="Path of the socket.")
@click.option(
    "--tcp",
    metavar="127.0.0.1:PORT",
    help="Listen on TCP, too, for this user's programs that are in no container.",
)
@click.option(
    "--token",
    metavar="FILE",
    help="On TCP serve whoever sends the token in this file; it is made if it does not exist.",
)
@click.option("--idle-exit", metavar="TIME", help="End after this time without a request (5m).")
def serve(*, path: str | None, tcp: str | None, token: str | None, idle_exit: str | None) -> None:
    """Serve the Docker Engine API on a unix socket.

    Containers continue when the server ends. With systemd's socket activation
    (LISTEN_FDS) the server uses the given sockets instead.
    """
    import logging
    from pathlib import Path

    from sandbox.api.server import Settings
    from sandbox.api.server import serve as run
    from sandbox.cli.open_engine import open_to_start

    logging.basicConfig(format="%(name)s: %(message)s", level=logging.WARNING)
    # A request that is not HTTP gets a 400, and no line in the log.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    address = _loopback(tcp) if tcp else None
    if token is not None and address is None:
        raise UsageError("--token is for --tcp")
    settings = Settings(
        socket=os.path.abspath(path) if path else socket_path(),
        tcp=address,
        token_file=Path(token) if token is not None else None,
        idle=parse_duration(idle_exit) / SECOND if idle_exit else None,
        ready=_tell,
    )
    engine = open_to_start()
    run(engine, settings)


def _tell(names: list[str]) -> None:
    for name in names:
        emit(f"listening on {name}")
    sys.stdout.flush()


def _loopback(text: str) -> tuple[str, int]:
    host, _, port = text.removeprefix("tcp://").rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"invalid address '{text}': 127.0.0.1:PORT is needed")
    host = host or "127.0.0.1"
    if host != "localhost" and not host.startswith("127."):
        raise UsageError(f"invalid address '{text}': only 127.0.0.0/8 is allowed")
    return ("127.0.0.1" if host == "localhost" else host), int(port)


@click.command()
def env() -> None:
    """Print the variables that point docker clients here: eval "$(sandbox env)"."""
    for name, value in variables().items():
        emit(f"export {name}={value}")


def variables() -> dict[str, str]:
    """Return the environment of a docker client."""
    return {"DOCKER_HOST": f"unix://{socket_path()}", "DOCKER_BUILDKIT": "0"}


@click.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": [],
    },
    add_help_option=False,
)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def docker(*, args: tuple[str, ...]) -> None:
    """Run docker's own command line on this engine; start the server if necessary."""
    program = shutil.which("docker")
    if program is None:
        raise RuntimeFailed("the docker command line is not installed")
    start_server(socket_path())
    os.execve(program, ["docker", *args], {**os.environ, **variables()})


def start_server(path: str) -> None:
    """Use the server that listens at *path*, or start one that ends when it is idle."""
    if _answers(path):
        return
    log = open(f"{path}.log", "ab")  # noqa: SIM115 - the server keeps it
    with log:
        server = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "serve", "--socket", path, "--idle-exit", _IDLE],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    deadline = time.monotonic() + _PATIENCE
    while not _answers(path):
        # It may have ended because another server was faster.
        if time.monotonic() > deadline or (server.poll() or 0) not in (0, 1):
            raise RuntimeFailed(f"the server does not start: see {path}.log")
        time.sleep(0.01)


def _answers(path: str) -> bool:
    from sandbox.runtime.supervisor import protocol

    with suppress(OSError):
        protocol.connect(path).close()
        return True
    return False
