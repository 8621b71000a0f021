# SPDX-License-Identifier: MIT
"""The outputs of a build: an image of the store, an archive, a directory, a tar of files."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from sandbox.builder.image_config import image_document
from sandbox.errors import UsageError, map_os_errors
from sandbox.models import oci
from sandbox.models.digest import digest_of
from sandbox.models.reference import parse_reference
from sandbox.store import events
from sandbox.store.images import ImageStore, NewImage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.builder.build_job import Build
    from sandbox.builder.request import Output
    from sandbox.builder.services import Services
    from sandbox.builder.stage_state import State
    from sandbox.models.digest import Digest

_ARCHIVES = {"docker": "docker-archive", "image": "docker-archive", "oci": "oci-archive"}


def give_out(build: Build, state: State, services: Services) -> str:
    """Produce every requested output; return the image's id, or ""."""
    outputs = build.request.outputs or _default()
    image_id = ""
    for output in outputs:
        if output.kind == "cacheonly":
            continue
        if output.kind in ("local", "tar"):
            with build.reporter.doing(f"exporting to {_client(output)}"):
                _give_files(build, state, output)
            continue
        with build.reporter.doing(f"exporting to {_words(output)}"):
            image_id = str(_add_image(build, state, output))
            if output.dest:
                _give_archive(services, build, output, image_id)
    return image_id


def _default() -> tuple[Output, ...]:
    from sandbox.builder.request import Output

    return (Output("docker"),)


def _words(output: Output) -> str:
    return "oci image format" if output.kind == "oci" else "image"


def _client(output: Output) -> str:
    return "client directory" if output.kind == "local" else "client tarball"


def names_of(build: Build, output: Output) -> list[str]:
    """Return the names of an output's image: the output's own, else the build's tags."""
    return [*output.names, *build.request.tags]


def _add_image(build: Build, state: State, output: Output) -> Digest:
    request = build.request
    references = []
    for name in names_of(build, output):
        reference = parse_reference(name)
        if reference.digest is not None:
            raise UsageError(f"invalid tag {name!r}: refusing to create a tag with a digest")
        references.append(reference.with_default_tag())
    epoch = None if request.epoch is None else build.moment()
    document = image_document(state, labels=request.labels, epoch=epoch, now=build.moment())
    if any(cache.kind == "inline" for cache in request.cache_to):
        from sandbox.builder.cache.export import chosen_steps
        from sandbox.builder.cache.remote import encode_inline

        steps = chosen_steps(build, state.layers, everything=False)
        document = msgspec.structs.replace(document, build_cache=encode_inline(steps))
    image = NewImage(
        oci.encode(document),
        tuple(references),
        lower_blobs=state.base_blobs,
        annotations={**request.annotations, **output.annotations},
        is_settled=True,
    )
    build.shop.settle()
    store = ImageStore(build.shop.layout)
    image_id = store.add([image], {})[0]
    for reference in references:
        events.tell_image(build.shop.layout, "tag", store.read(image_id), reference.familiar)
    return digest_of(image.config)


def _give_archive(services: Services, build: Build, output: Output, image_id: str) -> None:
    names = names_of(build, output) or [image_id]
    with _opened(output.dest) as file:
        services.save(names, file.write, kind=_ARCHIVES[output.kind])


@contextmanager
def _opened(dest: str) -> Iterator[BinaryIO]:
    if dest == "-":
        if sys.stdout.isatty():
            raise UsageError("dest file is required: refusing to write to a terminal")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = f"{dest}.{os.getpid()}.part"
    with map_os_errors(f"cannot write {dest}"):
        try:
            with _unseen(dest, draft) as file:
                yield file
                file.flush()
                if not os.path.lexists(draft):
                    # With a directory descriptor Python calls linkat(2), which follows the link.
                    fd = file.fileno()
                    os.link(f"/proc/self/fd/{fd}", draft, src_dir_fd=fd, follow_symlinks=True)
            os.rename(draft, dest)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(draft)
            raise


def _unseen(dest: str, draft: str) -> BinaryIO:
    """Open a new file without a name, so that a kill leaves nothing; else open *draft*."""
    folder = os.path.dirname(os.path.abspath(dest))
    try:
        fd = os.open(folder, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o666)
    except OSError as exc:
        if exc.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
            raise
        return open(draft, "xb")
    return os.fdopen(fd, "wb")


def _give_files(build: Build, state: State, output: Output) -> None:
    from sandbox.builder.output_files import write_files, write_folder

    with build.shop.tree(state.layers) as tree:
        if output.kind == "local":
            write_folder(tree, output.dest)
            return
        with _opened(output.dest) as file:
            write_files(tree, file.write)
