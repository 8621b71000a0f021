# SPDX-License-Identifier: MIT
"""The variables of links on the network `bridge`: ``DB_PORT``, ``DB_ENV_...``.

How it works: the start of a container computes them from the linked containers. A file of
the run directory keeps them for exec.

Rules: names and values are Docker's. On user-defined networks a link is only a name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.models.ports import parse_exposed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.models.container import ContainerConfig

_FILE = "links"
_NOT_PASSED_ON = ("HOME", "PATH")


def variables(alias: str, reader: str, linked: ContainerConfig, address: str) -> Iterator[str]:
    """Yield the variables that a link gives to the container named *reader*.

    >>> from sandbox.models.container import ContainerConfig
    >>> db = ContainerConfig("1", "db", "", "i", "s", (), ("x",), env=("A=b", "PATH=/x"),
    ...     exposed_ports=("5432/tcp",))
    >>> for line in variables("my-db", "web", db, "127.1.0.2"): print(line)
    MY_DB_PORT=tcp://127.1.0.2:5432
    MY_DB_PORT_5432_TCP=tcp://127.1.0.2:5432
    MY_DB_PORT_5432_TCP_ADDR=127.1.0.2
    MY_DB_PORT_5432_TCP_PORT=5432
    MY_DB_PORT_5432_TCP_PROTO=tcp
    MY_DB_NAME=/web/my-db
    MY_DB_ENV_A=b
    """
    prefix = alias.upper().replace("-", "_")
    ports = sorted(
        (port for text in linked.exposed_ports for port in parse_exposed(text)),
        key=lambda port: (port.number, port.protocol),
    )
    if ports:
        yield f"{prefix}_PORT={ports[0].protocol}://{address}:{ports[0].number}"
    for port in ports:
        name = f"{prefix}_PORT_{port.number}_{port.protocol.upper()}"
        yield f"{name}={port.protocol}://{address}:{port.number}"
        yield f"{name}_ADDR={address}"
        yield f"{name}_PORT={port.number}"
        yield f"{name}_PROTO={port.protocol}"
    yield f"{prefix}_NAME=/{reader}/{alias}"
    for entry in linked.env:
        name, equals, value = entry.partition("=")
        if equals and name not in _NOT_PASSED_ON:
            yield f"{prefix}_ENV_{name}={value}"


def write(run_dir: str, entries: Iterable[str]) -> None:
    """Store the variables of a container that starts; write no file if there are none."""
    data = "\0".join(entries).encode("utf-8", "surrogateescape")
    if data:
        with open(f"{run_dir}/{_FILE}", "wb") as file:
            file.write(data)


def read(run_dir: str) -> tuple[str, ...]:
    """Return the variables of a container that runs."""
    try:
        with open(os.path.join(run_dir, _FILE), "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return ()
    return tuple(data.decode("utf-8", "surrogateescape").split("\0")) if data else ()


def forget(run_dir: str, alias: str) -> None:
    """Remove the variables of one link, so that later execs do not get them."""
    prefix = alias.upper().replace("-", "_")
    heads = tuple(f"{prefix}_{part}" for part in ("PORT=", "PORT_", "NAME=", "ENV_"))
    path = os.path.join(run_dir, _FILE)
    rest = [entry for entry in read(run_dir) if not entry.startswith(heads)]
    if os.path.exists(path):
        draft = f"{path}.{os.getpid()}"
        with open(draft, "wb") as file:
            file.write("\0".join(rest).encode("utf-8", "surrogateescape"))
        os.replace(draft, path)
