# SPDX-License-Identifier: MIT
"""``info``, ``version`` and ``system``."""

from __future__ import annotations

import os
import platform
from typing import Any

import click

from sandbox.cli.lazy_group import Verbs
from sandbox.cli.output.format import emit, human_size, render_objects
from sandbox.cli.system.disk_usage import df
from sandbox.cli.system.events import events
from sandbox.cli.system.prune import system_prune
from sandbox.cli.system.service import service_unit, system_start

_FORMAT = click.option(
    "-f", "--format", "template", metavar="TEMPLATE", help="'json' or a Go template."
)


@click.command()
@_FORMAT
def version(*, template: str | None) -> None:
    """Show the version of sandbox and of its API."""
    from sandbox.engine.system.info import architecture
    from sandbox.version import VERSION

    facts = {
        "Version": VERSION,
        "PythonVersion": platform.python_version(),
        "Os": "linux",
        "Arch": architecture(),
        "KernelVersion": os.uname().release,
    }
    if template is not None:
        emit(render_objects([_struct({"Client": _struct(facts), **facts})], template))
        return
    emit(
        f"sandbox\n"
        f" Version:   {facts['Version']}\n"
        f" Python:    {facts['PythonVersion']}\n"
        f" OS/Arch:   {facts['Os']}/{facts['Arch']}\n"
        f" Kernel:    {facts['KernelVersion']}"
    )


@click.command()
@_FORMAT
def info(*, template: str | None) -> None:
    """Show the store, the machine, and the isolation in force."""
    from sandbox.engine import Engine

    facts = Engine().system.info()
    if template is not None:
        emit(render_objects([_struct(facts)], template))
        return
    labels = {
        "ServerVersion": "Version",
        "Containers": "Containers",
        "ContainersRunning": " Running",
        "ContainersStopped": " Stopped",
        "Images": "Images",
        "DockerRootDir": "Store",
        "FreeSpace": "Free space",
        "KernelVersion": "Kernel version",
        "OperatingSystem": "Operating system",
        "Architecture": "Architecture",
        "NCPU": "CPUs",
        "MemTotal": "Total memory",
        "Interceptor": "Interceptor",
        "SecurityOptions": "Security",
    }
    for key, label in labels.items():
        value = facts[key]
        if key in ("FreeSpace", "MemTotal"):
            value = human_size(value, 4)
        emit(f"{label}: {', '.join(value) if isinstance(value, list) else value}")
    emit("Isolation:")
    for name, how in _ISOLATION.items():
        emit(f" {name}: {how}")
    for warning in facts["Warnings"]:
        click.echo(warning, err=True)
    for field, name in _LIMITED.items():
        emit(f" {name}: limited by {_HOLDERS[facts['LimitsBy'][field]]}")


_ISOLATION = {
    "files": "own tree, copy-on-write",
    "users": "own root and ids, emulated",
    "host name": "own, emulated",
    "processes": "shared with this user",
    "network": "shared with the machine",
}
_LIMITED = {"Memory": "memory", "NanoCpus": "CPU time", "PidsLimit": "tasks", "CpusetCpus": "CPUs"}
_HOLDERS = {
    "cgroup": "a cgroup of its own",
    "supervisor": "the supervisor, without cgroups",
    "runtime": "the runtime, without cgroups",
    "affinity": "affinity",
}


def _struct(facts: dict[str, Any]) -> Any:
    from sandbox.cli.output.template_functions import Struct

    return Struct(facts)


@click.command(cls=Verbs)
def system() -> None:
    """Manage the store."""


@system.command()
@click.option("--repair", is_flag=True, help="Repair what can be repaired without loss.")
def fsck(*, repair: bool) -> int:
    """Check the store for damage and report it.

    A "note" is a harmless remnant of a killed process; --repair removes it.
    """
    from sandbox.engine import Engine

    findings = Engine().system.fsck(repair=repair)
    for finding in findings:
        emit(str(finding))
    if any(finding.is_problem and not finding.is_repaired for finding in findings):
        return 1
    emit("the store is whole")
    return 0


system.add_command(df)
system.add_command(events)
system.add_command(info)
system.add_command(system_prune)
system.add_command(system_start)
system.add_command(service_unit)
