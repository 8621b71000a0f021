# SPDX-License-Identifier: MIT
"""``--cache-to``: export the steps of a build and their layers to a registry or a directory."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.builder.cache.remote import BLOBS, CONFIG, INDEX, MANIFEST, Table, remembered, silent
from sandbox.builder.request import YES
from sandbox.errors import CorruptData, SandboxError, map_os_errors
from sandbox.layers.layer_tar import pack_layer
from sandbox.models import oci
from sandbox.models.digest import Digest, digest_of, hex_of, parse_digest
from sandbox.models.reference import parse_reference
from sandbox.store import build_cache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.builder.build_job import Build
    from sandbox.builder.request import RemoteCache


def give_caches(build: Build, layers: tuple[Digest, ...]) -> None:
    """Export every cache of --cache-to except the inline kind, which is in the image."""
    for cache in build.request.cache_to:
        if cache.kind == "inline":
            continue
        try:
            _give(build, cache, layers)
        except SandboxError:
            if cache.options.get("ignore-error") not in YES:
                raise


def _give(build: Build, cache: RemoteCache, layers: tuple[Digest, ...]) -> None:
    where = "registry" if cache.kind == "registry" else "client directory"
    with build.reporter.doing(f"exporting cache to {where}"), ExitStack() as stack:
        steps = chosen_steps(build, layers, everything=cache.options.get("mode") == "max")
        blobs = _packed(build, steps, stack)
        if cache.kind == "registry":
            _push(cache.options["ref"], steps, blobs)
        else:
            _write(Path(cache.options["dest"]), cache.options, steps, blobs)


def chosen_steps(
    build: Build, layers: tuple[Digest, ...], *, everything: bool
) -> list[tuple[str, build_cache.Step]]:
    """Return the steps to export: those of the image, or all."""
    own = set(layers)
    return sorted(
        (key, step)
        for key, step in build.step_layers.used.items()
        if everything or step.layer in own
    )


_Steps = list[tuple[str, build_cache.Step]]
_Blobs = dict[str, tuple[oci.Descriptor, Path]]


def _packed(build: Build, steps: list[tuple[str, build_cache.Step]], stack: ExitStack) -> _Blobs:
    """Pack the layers of all steps."""
    folder = build.shop.folder("cache")
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    blobs: _Blobs = {}
    layout = build.shop.layout
    for _, step in steps:
        if step.layer not in blobs:
            layer = Digest(step.layer)
            path = folder / hex_of(layer)
            found, blob = pack_layer(layout.layer_diff(layer), layout.layer_meta(layer), path)
            if found != layer:
                raise CorruptData(f"layer {layer}: packing its files gives {found}")
            blobs[step.layer] = (blob, path)
    return blobs


def _documents(steps: list[tuple[str, build_cache.Step]], blobs: _Blobs) -> tuple[bytes, bytes]:
    table = Table([remembered(key, step, blobs[step.layer][0]) for key, step in steps])
    config = msgspec.json.encode(table)
    unique = {blob.digest: blob for blob, _ in blobs.values()}
    manifest = oci.Manifest(
        media_type=MANIFEST,
        config=oci.Descriptor(media_type=CONFIG, digest=digest_of(config), size=len(config)),
        layers=list(unique.values()),
    )
    return config, oci.encode_versioned(manifest)


def _push(ref: str, steps: list[tuple[str, build_cache.Step]], blobs: _Blobs) -> None:
    from sandbox.registry.client import RawManifest
    from sandbox.registry.session import Session
    from sandbox.registry.upload import ensure_blob, send_bytes

    session = Session()
    reference = parse_reference(ref).with_default_tag()
    target = session.target(reference)
    config, manifest = _documents(steps, blobs)
    for blob, path in blobs.values():
        ensure_blob(target, blob, path, known=[], transport=session.transport, progress=silent)
    send_bytes(target, config, transport=session.transport)
    target.put_manifest(str(reference.tag), RawManifest(manifest, MANIFEST))


def _write(
    folder: Path,
    options: Mapping[str, str],
    steps: list[tuple[str, build_cache.Step]],
    blobs: _Blobs,
) -> None:
    config, manifest = _documents(steps, blobs)
    tag = options.get("tag", "latest")
    with map_os_errors(f"cannot write the cache to {folder}"):
        (folder / BLOBS).mkdir(parents=True, exist_ok=True)
        for blob, path in blobs.values():
            target = folder / BLOBS / hex_of(parse_digest(blob.digest))
            if not target.exists():
                shutil.copyfile(path, f"{target}.part")
                os.replace(f"{target}.part", target)
        for data in (config, manifest):
            (folder / BLOBS / hex_of(digest_of(data))).write_bytes(data)
        entry: dict[str, Any] = {
            "mediaType": MANIFEST,
            "digest": digest_of(manifest),
            "size": len(manifest),
            "annotations": {oci.REF_NAME: tag},
        }
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (folder / "index.json.part").write_text(json.dumps(index))
        os.replace(folder / "index.json.part", folder / "index.json")
