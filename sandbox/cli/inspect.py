# SPDX-License-Identifier: MIT
"""``inspect``: details of containers, images, networks and volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.completion import complete_containers, complete_images
from sandbox.cli.output.format import emit, render_objects
from sandbox.engine import Engine
from sandbox.errors import NotFound, SandboxError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


# Fields whose value is a Go map: a missing key is no error in a template.
_MAPS = frozenset(
    {
        "Labels",
        "Volumes",
        "ExposedPorts",
        "Ports",
        "PortBindings",
        "Networks",
        "Tmpfs",
        "Containers",
    }
)


def _complete(ctx: click.Context, param: click.Parameter, text: str) -> list[str]:
    return complete_containers(ctx, param, text) + complete_images(ctx, param, text)


_FORMAT = click.option(
    "-f",
    "--format",
    "template",
    metavar="TEMPLATE",
    help="'json' or a Go template; default: indented JSON.",
)


@click.command()
@_FORMAT
@click.option("-s", "--size", is_flag=True, help="Show sizes of containers.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["container", "image", "network", "volume"]),
    help="Inspect only this type.",
)
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=_complete)
def inspect(*, template: str | None, size: bool, kind: str | None, names: tuple[str, ...]) -> int:
    """Show details of containers, images, networks and volumes, as Docker's JSON."""
    return _inspect(template, kind, names, size=size)


def _inspect(template: str | None, kind: str | None, names: tuple[str, ...], *, size: bool) -> int:
    engine = Engine()
    found: list[Any] = []
    problems = []
    for name in names:
        try:
            found.append(_look_up(engine, name, kind, size=size))
        except SandboxError as exc:
            problems.append(exc.message)
    if found or template is None:
        items = found if template in (None, "json") else [as_go(item) for item in found]
        emit(render_objects(items, template))
    for problem in problems:
        click.echo(f"sandbox: {problem}", err=True)
    return 1 if problems else 0


def _look_up(engine: Engine, name: str, kind: str | None, *, size: bool) -> dict[str, Any]:
    looks: dict[str, Callable[[], dict[str, Any]]] = {
        "container": lambda: engine.containers.inspect(name, size=size),
        "image": lambda: engine.images.inspect(name),
        "network": lambda: engine.networks.inspect(name),
        "volume": lambda: _volume(engine, name),
    }
    if kind is not None:
        return looks[kind]()
    for look in looks.values():
        try:
            return look()
        except NotFound:
            continue
    raise NotFound(f"no such object: {name}")


def _volume(engine: Engine, name: str) -> dict[str, Any]:
    """Return a volume; an invalid name counts as absent."""
    try:
        return engine.volumes.inspect(name)
    except UsageError:
        raise NotFound(f"get {name}: no such volume") from None


def as_go(value: Any, *, is_map: bool = False) -> Any:
    """Return *value* with Go's difference between structs and maps restored (`Struct`)."""
    from sandbox.cli.output.template_functions import Struct

    if isinstance(value, list):
        return [as_go(item) for item in value]
    if not isinstance(value, dict):
        return value
    fields = {key: as_go(item, is_map=key in _MAPS) for key, item in value.items()}
    return fields if is_map else Struct(fields)


@click.command("inspect")
@_FORMAT
@click.option("-s", "--size", is_flag=True, help="Show sizes.")
@click.argument(
    "names", nargs=-1, required=True, metavar="CONTAINER...", shell_complete=complete_containers
)
def inspect_container(*, template: str | None, size: bool, names: tuple[str, ...]) -> int:
    """Show details of containers, as Docker's JSON."""
    return _inspect(template, "container", names, size=size)


@click.command("inspect")
@_FORMAT
@click.argument(
    "names", nargs=-1, required=True, metavar="IMAGE...", shell_complete=complete_images
)
def inspect_image(*, template: str | None, names: tuple[str, ...]) -> int:
    """Show details of images, as Docker's JSON."""
    return _inspect(template, "image", names, size=False)
