# SPDX-License-Identifier: MIT
"""``inspect`` of an image: Docker's JSON, as plain values.

Rules: pure, and the only file with Docker's field names for images. A field without a value is
shown empty, never invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.models import oci
from sandbox.models.oci import seconds_of
from sandbox.models.timestamps import NEVER

if TYPE_CHECKING:
    from sandbox.models.image import Image

DRIVER = "index"
"""The name of the storage driver in inspect and info."""

# Go's JSON of an empty configuration, for an image that was not made from a container.
_NO_CONFIG: dict[str, Any] = {
    **dict.fromkeys(("Hostname", "Domainname", "User", "Image", "WorkingDir"), ""),
    **dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr"), False),
    **dict.fromkeys(("Tty", "OpenStdin", "StdinOnce"), False),
    **dict.fromkeys(("Env", "Cmd", "Volumes", "Entrypoint", "OnBuild", "Labels")),
}


def summarize_image(image: Image) -> dict[str, Any]:
    """Return the image's object in a list."""
    return {
        "Id": str(image.id),
        "ParentId": image.parent,
        "RepoTags": image.familiar_tags,
        "RepoDigests": image.familiar_digests,
        "Created": int(seconds_of(image.created)),
        "Size": image.size,
        "SharedSize": -1,
        "VirtualSize": image.size,
        "Labels": image.config.labels or {},
        "Containers": -1,
    }


def describe_image(image: Image) -> dict[str, Any]:
    """Return the image's inspect object."""
    run = image.config
    return {
        "Id": str(image.id),
        "RepoTags": image.familiar_tags,
        "RepoDigests": image.familiar_digests,
        "Parent": image.parent,
        "Comment": image.comment,
        "Created": image.created or NEVER,
        "Container": image.container,
        "ContainerConfig": {**_NO_CONFIG, **image.container_config},
        "DockerVersion": "",
        "Author": image.author,
        "Config": {
            "Hostname": "",
            "Domainname": "",
            "User": run.user,
            "AttachStdin": False,
            "AttachStdout": False,
            "AttachStderr": False,
            "ExposedPorts": run.exposed_ports or {},
            "Tty": False,
            "OpenStdin": False,
            "StdinOnce": False,
            "Env": run.env,
            "Cmd": run.cmd,
            "Healthcheck": oci.to_builtins(run.healthcheck) if run.healthcheck else None,
            "Image": "",
            "Volumes": run.volumes,
            "WorkingDir": run.working_dir,
            "Entrypoint": run.entrypoint,
            "OnBuild": run.on_build,
            "Labels": run.labels or {},
            "StopSignal": run.stop_signal,
            "Shell": run.shell,
            **({"ArgsEscaped": True} if run.args_escaped else {}),
        },
        "Architecture": image.architecture,
        "Variant": image.variant,
        "Os": image.os,
        "Size": image.size,
        "GraphDriver": {"Data": {}, "Name": DRIVER},
        "RootFS": {"Type": "layers", "Layers": [str(layer) for layer in image.layers]},
        "Metadata": {"LastTagTime": NEVER},
    }
