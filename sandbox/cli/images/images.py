# SPDX-License-Identifier: MIT
"""``images``, ``import``, ``load``, ``save``, ``tag``, ``rmi`` and ``history``."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.common_flags import filter_option
from sandbox.cli.completion import complete_images
from sandbox.cli.output.format import Column, ellipsis, emit, human_size, render
from sandbox.engine import Engine
from sandbox.errors import NotFound, SandboxError, UsageError, map_os_errors
from sandbox.models.oci import seconds_of
from sandbox.models.reference import parse_reference
from sandbox.models.timestamps import human_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.models.image import Image
    from sandbox.models.oci import History

_NONE = "<none>"
_REPOSITORY = Column("REPOSITORY", "Repository")
_TAG = Column("TAG", "Tag")
_DIGEST = Column("DIGEST", "Digest")
_REST = (
    Column("IMAGE ID", "ID"),
    Column("CREATED", "CreatedSince"),
    Column("SIZE", "Size"),
)
_IMAGE_HEADINGS = {
    **{item.field: item.heading for item in (_REPOSITORY, _TAG, _DIGEST, *_REST)},
    "CreatedAt": "CREATED AT",
    "Containers": "CONTAINERS",
    "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE",
    "VirtualSize": "SIZE",
}
_STEP_COLUMNS = (
    Column("IMAGE", "ID"),
    Column("CREATED", "CreatedSince"),
    Column("CREATED BY", "CreatedBy"),
    Column("SIZE", "Size"),
    Column("COMMENT", "Comment"),
)
_STEP_HEADINGS = {
    **{column.field: column.heading for column in _STEP_COLUMNS},
    "CreatedAt": "CREATED AT",
}

_format_option = click.option(
    "--format",
    "template",
    metavar="TEMPLATE",
    help="'table', 'table TEMPLATE', 'json' or a Go template.",
)


@click.command()
@click.option("-a", "--all", "show_all", is_flag=True, help="Also intermediate images.")
@click.option("-q", "--quiet", is_flag=True, help="Only ids.")
@click.option("--no-trunc", is_flag=True, help="Do not cut ids.")
@click.option("--digests", is_flag=True, help="Show digests.")
@click.option("--tree", is_flag=True, help="Show which layers images share.")
@filter_option("before, dangling, label, reference, since, until")
@_format_option
@click.argument("name", required=False, metavar="[REPOSITORY[:TAG]]")
def images(
    *,
    show_all: bool,
    quiet: bool,
    no_trunc: bool,
    digests: bool,
    tree: bool,
    filters: tuple[str, ...],
    template: str | None,
    name: str | None,
) -> None:
    """List images."""
    if tree:
        from sandbox.cli.images.image_explore import tree_lines

        for line in tree_lines(Engine().images(name, filters=filters)):
            emit(line)
        return
    rows = [
        row
        for image in Engine().images(name, filters=filters)
        for row in image_rows(image, long=no_trunc, digests=digests)
    ]
    if quiet and template is None:
        template = "{{.ID}}"
    columns = (_REPOSITORY, _TAG, *((_DIGEST,) if digests else ()), *_REST)
    _show(render(rows, columns, template=template, headings=_IMAGE_HEADINGS))


def image_rows(image: Image, *, long: bool, digests: bool) -> list[dict[str, Any]]:
    """Return the rows of an image, one a name; all fields are text."""
    names = [parse_reference(tag) for tag in image.repo_tags]
    known = {ref.name: str(ref.digest) for ref in map(parse_reference, image.repo_digests)}
    pairs = [(ref.familiar_name, ref.tag or _NONE, known.get(ref.name, _NONE)) for ref in names]
    tagged = {ref.name for ref in names}
    for text in image.repo_digests:
        reference = parse_reference(text)
        if reference.name not in tagged:
            digest = str(reference.digest) if digests else _NONE
            pairs.append((reference.familiar_name, _NONE, digest))
    common = {
        "ID": image.id if long else image.short_id,
        "CreatedSince": _ago(image.created),
        "CreatedAt": _moment(image.created),
        "Size": human_size(image.size),
        "VirtualSize": human_size(image.size),
        "Containers": "N/A",
        "SharedSize": "N/A",
        "UniqueSize": "N/A",
    }
    return [
        {"Repository": repository, "Tag": tag, "Digest": digest, **common}
        for repository, tag, digest in pairs or [(_NONE, _NONE, _NONE)]
    ]


@click.command("import")
@click.option(
    "-c",
    "--change",
    "changes",
    multiple=True,
    metavar="INSTRUCTION",
    help="Apply a Dockerfile instruction to the image.",
)
@click.option("-m", "--message", metavar="TEXT", help="Set the comment of the image's only step.")
@click.option(
    "--platform", metavar="OS/ARCH", help="Say what the image is for: os/architecture[/variant]."
)
@click.argument("file", metavar="FILE|-")
@click.argument("reference", required=False, metavar="[REPOSITORY[:TAG]]")
def import_(
    *,
    changes: tuple[str, ...],
    message: str | None,
    platform: str | None,
    file: str,
    reference: str | None,
) -> None:
    """Make an image from a tar of a root file system, compressed or not."""
    image_id = Engine().import_image(
        file, reference=reference, changes=changes, message=message, platform=platform
    )
    emit(image_id)


@click.command()
@click.option(
    "-i",
    "--input",
    "path",
    default="-",
    metavar="FILE",
    help="Read from an archive or an OCI directory instead of standard input.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option(
    "--platform", metavar="OS/ARCH", help="Take only this platform of a multi-platform image."
)
def load(*, path: str, quiet: bool, platform: str | None) -> None:
    """Load images from an archive made by 'docker save', or in OCI form."""
    for image in Engine().load_images(path, platform=platform):
        for reference in image.references:
            emit(f"Loaded image: {reference.familiar}")
        if not image.references:
            emit(f"Loaded image ID: {image.id}")


@click.command()
@click.option("-o", "--output", metavar="FILE", help="Write here instead of standard output.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["docker-archive", "oci-archive", "oci-dir"]),
    default="docker-archive",
    metavar="docker-archive|oci-archive|oci-dir",
    help="What to write (docker-archive); oci-dir needs -o.",
)
@click.option("--since", metavar="IMAGE", help="Leave out the layers that IMAGE has too.")
@click.argument(
    "names", nargs=-1, required=True, metavar="IMAGE...", shell_complete=complete_images
)
def save(*, output: str | None, kind: str, since: str | None, names: tuple[str, ...]) -> None:
    """Write images to an archive that 'load', docker, podman and skopeo read."""
    engine = Engine()
    if kind == "oci-dir":
        if output is None:
            raise UsageError("--format oci-dir needs -o DIRECTORY")
        engine.save_directory(names, output, since=since)
        return
    if output is None and sys.stdout.isatty():
        raise UsageError("refusing to write to a terminal: use the -o flag or redirect")
    with whole_file(output) as write:
        engine.save_images(names, write, kind=kind, since=since)


@contextmanager
def whole_file(path: str | None) -> Iterator[Callable[[bytes], object]]:
    """Give a function that writes to *path*, which appears complete, or standard output."""
    if path is None:
        yield sys.stdout.buffer.write
        return
    draft = f"{path}.{os.getpid()}.part"
    with map_os_errors(f"cannot write {path}"):
        try:
            with open(draft, "xb") as file:
                yield file.write
            os.replace(draft, path)
        except BaseException:
            if os.path.exists(draft):
                os.unlink(draft)
            raise


@click.command()
@click.argument("source", metavar="SOURCE_IMAGE[:TAG]", shell_complete=complete_images)
@click.argument("target", metavar="TARGET_IMAGE[:TAG]")
def tag(*, source: str, target: str) -> None:
    """Give an image another name."""
    Engine().tag_image(source, target)


@click.command()
@click.option("-f", "--force", is_flag=True, help="Remove it although it is in use.")
@click.option("--no-prune", is_flag=True, help="Keep untagged parents (there are none).")
@click.argument(
    "names", nargs=-1, required=True, metavar="IMAGE...", shell_complete=complete_images
)
def rmi(*, force: bool, no_prune: bool, names: tuple[str, ...]) -> int:
    """Remove images."""
    engine = Engine()
    failed = False
    for name in names:
        try:
            removal = engine.remove_image(name, force=force)
        except SandboxError as exc:
            click.echo(f"sandbox: {exc.message}", err=True)
            failed = failed or not (force and isinstance(exc, NotFound))
            continue
        for reference in removal.untagged:
            emit(f"Untagged: {reference}")
        for digest in removal.deleted:
            emit(f"Deleted: {digest}")
    return int(failed)


@click.command()
@click.option("-H", "--human/--no-human", default=True, help="Sizes and dates for people.")
@click.option("--no-trunc", is_flag=True, help="Do not cut ids and commands.")
@click.option("-q", "--quiet", is_flag=True, help="Only ids.")
@_format_option
@click.argument("name", metavar="IMAGE", shell_complete=complete_images)
def history(*, human: bool, no_trunc: bool, quiet: bool, template: str | None, name: str) -> None:
    """Show the steps of an image."""
    engine = Engine()
    image = engine.find_image(name)
    image_id = image.id if no_trunc else image.short_id
    rows = [
        step_row(step, size, image_id=image_id if newest else "<missing>", human=human)
        for newest, (step, size) in _marked(engine.image_history(name))
    ]
    if not no_trunc:
        rows = [{**row, "CreatedBy": ellipsis(row["CreatedBy"], 45)} for row in rows]
    if quiet and template is None:
        template = "{{.ID}}"
    _show(render(rows, _STEP_COLUMNS, template=template, headings=_STEP_HEADINGS))


def step_row(step: History, size: int, *, image_id: str, human: bool) -> dict[str, str]:
    """Return the row of one step; all fields are text."""
    return {
        "ID": image_id,
        "CreatedSince": _ago(step.created) if human else (step.created or ""),
        "CreatedAt": step.created or "",
        "CreatedBy": step.created_by.replace("\t", " ").replace("\n", " "),
        "Size": human_size(size) if human else str(size),
        "Comment": step.comment,
    }


def _marked(
    steps: Sequence[tuple[History, int]],
) -> list[tuple[bool, tuple[History, int]]]:
    """Return the steps, the newest marked."""
    return [(position == 0, step) for position, step in enumerate(steps)]


def _show(text: str) -> None:
    if text:
        emit(text)


def _ago(created: str | None) -> str:
    seconds = seconds_of(created)
    if not seconds:
        return "N/A"
    return f"{human_duration(max(0.0, time.time() - seconds))} ago"


def _moment(created: str | None) -> str:
    moment = datetime.fromtimestamp(seconds_of(created), UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
