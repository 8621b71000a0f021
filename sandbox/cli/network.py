# SPDX-License-Identifier: MIT
"""``network``: the networks by which containers reach each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.common_flags import filter_option
from sandbox.cli.completion import complete_containers
from sandbox.cli.for_each import each
from sandbox.cli.lazy_group import Verbs
from sandbox.cli.open_engine import open_engine
from sandbox.cli.output.format import Column, emit, render, render_objects
from sandbox.errors import SandboxError, UsageError
from sandbox.models.addresses import parse_address, parse_subnet
from sandbox.models.endpoints import Endpoint, check_address, parse_link
from sandbox.models.network import NetworkWish
from sandbox.runtime import spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.models.network import Network

_COLUMNS = (
    Column("NETWORK ID", "ID"),
    Column("NAME", "Name"),
    Column("DRIVER", "Driver"),
    Column("SCOPE", "Scope"),
)
_HEADINGS = {
    **{column.field: column.heading for column in _COLUMNS},
    "IPv4": "IPV4",
    "IPv6": "IPV6",
    "Internal": "INTERNAL",
    "Labels": "LABELS",
    "CreatedAt": "CREATED AT",
}


@click.command(cls=Verbs)
def network() -> None:
    """Manage networks."""


@network.command(options_metavar="[OPTIONS]")
@click.option(
    "-d", "--driver", metavar="DRIVER", default="bridge", help="Only 'bridge' can be created."
)
@click.option("--subnet", multiple=True, metavar="CIDR", help="Subnet within 127.0.0.0/8.")
@click.option(
    "--gateway", multiple=True, metavar="ADDRESS", help="Address of the machine on the network."
)
@click.option("--ip-range", multiple=True, metavar="CIDR", help="Range of assigned addresses.")
@click.option(
    "--ipv4/--no-ipv4", default=True, help="No effect: networks always have IPv4 addresses."
)
@click.option("--internal", is_flag=True, help="Block access to hosts outside of the network.")
@click.option("--attachable", is_flag=True, help="No effect: every network is attachable.")
@click.option("--label", multiple=True, metavar="KEY[=VALUE]", help="Attach a label.")
@click.option("-o", "--opt", multiple=True, metavar="KEY=VALUE", help="Option of the driver.")
@click.argument("name")
def create(**options: Any) -> None:
    """Make a network and print its id."""
    if not options["ipv4"]:
        raise UsageError("a network has IPv4 addresses: --ipv4=false is not supported")
    wish = NetworkWish(
        name=options["name"],
        driver=options["driver"],
        subnet=_one(options["subnet"], "subnet", parse_subnet),
        gateway=_one(options["gateway"], "gateway", _address) or 0,
        ip_range=_one(options["ip_range"], "ip-range", parse_subnet),
        internal=options["internal"],
        attachable=options["attachable"],
        labels=spec.parse_labels(options["label"]),
        options=dict(text.partition("=")[::2] for text in options["opt"]),
    )
    emit(open_engine().networks.create(wish).id)


def _one(texts: tuple[str, ...], what: str, parse: Callable[[str], Any]) -> Any:
    if len(texts) > 1:
        raise UsageError(f"a network has one {what} only")
    return parse(texts[0]) if texts else None


def _address(text: str) -> int:
    return parse_address(check_address(text)) or 0


@network.command("ls", options_metavar="[OPTIONS]")
@click.option("-q", "--quiet", is_flag=True, help="Print only ids.")
@click.option("--no-trunc", is_flag=True, help="Do not shorten ids.")
@filter_option("dangling, driver, id, label, name, scope, type")
@click.option("--format", "template", metavar="TEMPLATE", help="'json', 'table' or a Go template.")
def list_(*, quiet: bool, no_trunc: bool, filters: tuple[str, ...], template: str | None) -> None:
    """List networks."""
    chosen = sorted(open_engine().networks.list(filters), key=lambda item: item.name)
    if quiet:
        for item in chosen:
            emit(item.id if no_trunc else item.id[:12])
        return
    rows = [_row(item, long=no_trunc) for item in chosen]
    text = render(rows, _COLUMNS, template=template, headings=_HEADINGS)
    if text:
        emit(text)


def _row(item: Network, *, long: bool) -> dict[str, Any]:
    labels = item.labels
    return {
        "ID": item.id if long else item.id[:12],
        "Name": item.name,
        "Driver": item.driver,
        "Scope": "local",
        "IPv4": "true",
        "IPv6": "false",
        "Internal": "true" if item.internal else "false",
        "Labels": ",".join(f"{key}={value}" for key, value in labels.items()),
        "CreatedAt": item.created[:19].replace("T", " ") + " +0000 UTC",
        "Label": lambda key: labels.get(key, ""),
    }


@network.command(options_metavar="[OPTIONS]")
@click.option("-f", "--format", "template", metavar="TEMPLATE", help="A Go template.")
@click.option("-v", "--verbose", is_flag=True, help="No effect: all details are shown.")
@click.argument("names", nargs=-1, required=True, metavar="NETWORK...")
def inspect(*, template: str | None, verbose: bool, names: tuple[str, ...]) -> int:
    """Show details of networks, as Docker's JSON."""
    from sandbox.cli.inspect import as_go

    engine = open_engine()
    shown, problems = [], []
    for name in names:
        try:
            shown.append(engine.networks.inspect(name))
        except SandboxError as exc:
            problems.append(exc.message)
    items = shown if template in (None, "json") else [as_go(item) for item in shown]
    if shown or template is None:
        emit(render_objects(items, template))
    for problem in problems:
        click.echo(f"sandbox: {problem}", err=True)
    return 1 if problems else 0


@network.command("rm", options_metavar="[OPTIONS]")
@click.option("-f", "--force", is_flag=True, help="Ignore missing ones.")
@click.argument("names", nargs=-1, required=True, metavar="NETWORK...")
def remove(*, force: bool, names: tuple[str, ...]) -> int:
    """Remove networks without running containers."""
    from sandbox.errors import NetworkNotFound

    engine = open_engine()

    def act(name: str) -> None:
        try:
            engine.networks.remove(name)
        except NetworkNotFound:
            if not force:
                raise

    return each(names, act)


@network.command(options_metavar="[OPTIONS]")
@click.option("--alias", multiple=True, metavar="NAME", help="Additional name on the network.")
@click.option(
    "--ip", default="", metavar="ADDRESS", help="Address of the container on the network."
)
@click.option(
    "--link", multiple=True, metavar="CONTAINER[:ALIAS]", help="Reach another container by a name."
)
@click.argument("name", metavar="NETWORK")
@click.argument("container", shell_complete=complete_containers)
def connect(
    *, alias: tuple[str, ...], ip: str, link: tuple[str, ...], name: str, container: str
) -> None:
    """Connect a container to a network."""
    wanted = Endpoint(
        name,
        aliases=alias,
        address=check_address(ip) if ip else "",
        links=tuple(("", *parse_link(text)) for text in link),
    )
    open_engine().networks.connect(name, container, wanted)


@network.command(options_metavar="[OPTIONS]")
@click.option("-f", "--force", is_flag=True, help="Ignore a container that is gone.")
@click.argument("name", metavar="NETWORK")
@click.argument("container", shell_complete=complete_containers)
def disconnect(*, force: bool, name: str, container: str) -> None:
    """Disconnect a container from a network."""
    open_engine().networks.disconnect(name, container, force=force)


@network.command(options_metavar="[OPTIONS]")
@click.option("-f", "--force", is_flag=True, help="Do not ask for confirmation.")
@filter_option("label, label!, until", short=False)
def prune(*, force: bool, filters: tuple[str, ...]) -> None:
    """Remove all unused networks."""
    from sandbox.cli.confirm import agrees
    from sandbox.engine.networks.filters import parse_prune

    parse_prune(filters)  # report mistakes before asking the user
    warning = "WARNING! This will remove all custom networks not used by at least one container."
    if not agrees(warning, force=force):
        return
    removed = open_engine().networks.prune(filters).networks
    if removed:
        emit("Deleted Networks:\n" + "\n".join(removed) + "\n")
