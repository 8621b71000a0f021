# SPDX-License-Identifier: MIT
"""Docker's flags that are not supported, each with the reason.

Rules: data only, read when a command does not know a flag. Each of Docker's flags is either
an option of its command or in this table; a unit test compares Docker's own list with both.

Does not know: the commands. The table names them as the user types them.
"""

from __future__ import annotations

_CGROUP = "there is no cgroup to set it in"
_REALTIME = "real-time scheduling is not given out"
_WINDOWS = "it is for Windows"
_SWARM = "there is no swarm, so there are no cluster volumes"
_IPV6 = "networks have IPv4 addresses only"
_CHECKPOINT = "there are no checkpoints"
_ONE_PLATFORM = "an image is here for one platform"
_INSECURE = "say in registries.toml which registries have no TLS"

_UPDATE = {
    "--cpu-rt-period": _REALTIME,
    "--cpu-rt-runtime": _REALTIME,
}

_CREATE = {
    **_UPDATE,
    "--cgroup-parent": _CGROUP,
    "--cgroupns": "there are no namespaces; leave it out",
    "--cpu-count": _WINDOWS,
    "--cpu-percent": _WINDOWS,
    "--domainname": "there is no NIS domain; --hostname NAME.DOMAIN gives a full name",
    "--gpus": "there is no device driver for GPUs",
    "--io-maxbandwidth": _WINDOWS,
    "--io-maxiops": _WINDOWS,
    "--ip6": _IPV6,
    "--isolation": _WINDOWS,
    "--link-local-ip": "there are no link-local addresses",
    "--pid": "the processes of a container are its own; leave it out",
    "--use-api-socket": "there is no daemon; see 'sandbox serve'",
}

_CLUSTER = (
    *("--availability", "--group", "--limit-bytes", "--required-bytes", "--scope", "--secret"),
    *("--sharing", "--topology-preferred", "--topology-required", "--type"),
)
_VOLUME_OPTIONS = "a volume is a directory of the store; use -v DIR:/PATH for another one"

REFUSED: dict[str, dict[str, str]] = {
    "run": _CREATE,
    "create": _CREATE,
    "trace": {**_CREATE, "--cpu-shares": "CPU time has no shares; use --cpus"},
    "update": {
        **_UPDATE,
        "--cpuset-cpus": "CPUs are chosen when a container is created",
    },
    "start": {"--checkpoint": _CHECKPOINT, "--checkpoint-dir": _CHECKPOINT},
    "build": {
        "--allow": "a build has no entitlements to give",
        "--builder": "there is one builder",
        "--cgroup-parent": _CGROUP,
        "--debug": "see 'sandbox --debug'",
        "-D": "see 'sandbox --debug'",
        "--isolation": _WINDOWS,
        "--security-opt": "there is no seccomp, AppArmor or SELinux profile to set",
    },
    "history": {"--platform": _ONE_PLATFORM},
    "rmi": {"--platform": _ONE_PLATFORM},
    "push": {"--platform": _ONE_PLATFORM},
    "save": {"--platform": _ONE_PLATFORM},
    "image inspect": {"--platform": _ONE_PLATFORM},
    "manifest annotate": {"--os-features": _WINDOWS, "--os-version": _WINDOWS},
    "manifest create": {"--insecure": _INSECURE},
    "manifest inspect": {"--insecure": _INSECURE},
    "manifest push": {"--insecure": _INSECURE},
    "volume create": {
        **dict.fromkeys(_CLUSTER, _SWARM),
        "--opt": _VOLUME_OPTIONS,
        "-o": _VOLUME_OPTIONS,
    },
    "volume ls": {"--cluster": _SWARM},
    "network create": {
        "--aux-address": "addresses cannot be set aside; use --ip-range",
        "--config-from": "there are no networks that hold configuration only",
        "--config-only": "there are no networks that hold configuration only",
        "--ingress": "there is no swarm",
        "--ipam-driver": "addresses are given out in one way",
        "--ipam-opt": "addresses are given out in one way",
        "--ipv6": _IPV6,
        "--scope": "networks are this machine's",
    },
    "network connect": {
        "--driver-opt": "the driver has no options for an endpoint",
        "--gw-priority": "the machine itself is the way out",
        "--ip6": _IPV6,
        "--link-local-ip": "there are no link-local addresses",
    },
}


def reason_against(command: str, flag: str) -> str | None:
    """Return why *flag* of *command* is not supported; None if Docker has no such flag.

    >>> reason_against("volume ls", "--cluster")
    'there is no swarm, so there are no cluster volumes'
    """
    return REFUSED.get(command, {}).get(flag)
