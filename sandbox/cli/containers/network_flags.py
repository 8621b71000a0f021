# SPDX-License-Identifier: MIT
"""The network flags of `run` and `create`.

Does not know: how networks work.
"""

from __future__ import annotations

import os
from typing import Any

from sandbox.cli.stdio import tell
from sandbox.errors import UsageError
from sandbox.models.addresses import parse_address
from sandbox.models.endpoints import (
    NetworkConfig,
    NetworkFlags,
    check_address,
    check_mac,
    parse_extra_host,
    parse_network,
    split_allowed_host,
)
from sandbox.models.network import HOST, NONE
from sandbox.models.ports import merge_publications, parse_exposed, parse_publication

NETWORK_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--network", "--net"),
        {
            "multiple": True,
            "metavar": "NETWORK",
            "help": "Join a network (bridge): host, none, container:NAME, or several by name.",
        },
    ),
    (
        ("--network-alias", "--net-alias"),
        {"multiple": True, "metavar": "NAME", "help": "One more name on its network."},
    ),
    (("--ip",), {"metavar": "ADDRESS", "default": "", "help": "Its address on its network."}),
    (
        ("--mac-address",),
        {"metavar": "ADDRESS", "default": "", "help": "The hardware address of its interface."},
    ),
    (
        ("-p", "--publish"),
        {
            "multiple": True,
            "metavar": "[[IP:]HOST:]PORT[/udp]",
            "help": "Show a port, or a range, on the machine.",
        },
    ),
    (("-P", "--publish-all"), {"is_flag": True, "help": "Show all exposed ports on free ports."}),
    (
        ("--expose",),
        {"multiple": True, "metavar": "PORT[/udp]", "help": "A port that it listens on."},
    ),
    (("--dns",), {"multiple": True, "metavar": "ADDRESS", "help": "Name server."}),
    (("--dns-search",), {"multiple": True, "metavar": "DOMAIN", "help": "Search domain."}),
    (
        ("--dns-option", "--dns-opt"),
        {"multiple": True, "metavar": "OPTION", "help": "Option of the resolver."},
    ),
    (
        ("--add-host",),
        {
            "multiple": True,
            "metavar": "NAME:ADDRESS",
            "help": "A line of /etc/hosts; the address host-gateway is the machine.",
        },
    ),
    (
        ("--link",),
        {
            "multiple": True,
            "metavar": "CONTAINER[:ALIAS]",
            "help": "Reach another container by a name.",
        },
    ),
    (
        ("--allow-host",),
        {
            "multiple": True,
            "metavar": "NAME[:PORT]",
            "help": "Outside of its networks, reach these only.",
        },
    ),
    (
        ("--network-log",),
        {"metavar": "FILE", "default": "", "help": "Write a line for each connection."},
    ),
)


def network_of(options: dict[str, Any]) -> NetworkFlags:
    """Parse each flag by itself; contradictions are found later."""
    modes = [parse_network(text).network for text in options["network"]]
    publications = [item for text in options["publish"] for item in parse_publication(text)]
    for text in options["expose"]:
        parse_exposed(text)
    for text in options["dns"]:
        if parse_address(text) is None and ":" not in text:
            raise UsageError(f"{text} is not an ip address")
    for text in options["allow_host"]:
        split_allowed_host(text)
    for mode in (HOST, NONE):
        if mode in modes and (publications or options["publish_all"]):
            text = f"Published ports are discarded when using {mode} network mode"
            tell(f"WARNING: {text}")
    return NetworkFlags(
        networks=options["network"],
        aliases=options["network_alias"],
        address=check_address(options["ip"]) if options["ip"] else "",
        mac=check_mac(options["mac_address"]) if options["mac_address"] else "",
        links=options["link"],
        exposed=options["expose"],
        hostname=bool(options["hostname"]),
        config=NetworkConfig(
            publications=merge_publications(publications),
            publish_all=options["publish_all"],
            dns=options["dns"],
            dns_search=options["dns_search"],
            dns_options=options["dns_option"],
            extra_hosts=tuple(parse_extra_host(text) for text in options["add_host"]),
            allowed_hosts=options["allow_host"],
            log=os.path.abspath(options["network_log"]) if options["network_log"] else "",
        ),
    )
