# SPDX-License-Identifier: MIT
"""``build``, and ``builder`` with ``prune``."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.idle_flags import BUILD_OPTIONS, warn_of_build
from sandbox.cli.lazy_group import lazy_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.builder.errors import BuildFailed
    from sandbox.builder.request import BuildRequest, BuildResult, Output

_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("-f", "--file"),
        {"metavar": "FILE", "help": "The Dockerfile (PATH/Dockerfile); - is standard input."},
    ),
    (("-t", "--tag"), {"multiple": True, "metavar": "NAME", "help": "Name the image."}),
    (("--build-arg",), {"multiple": True, "metavar": "NAME[=VALUE]", "help": "Set an ARG."}),
    (("--target",), {"metavar": "STAGE", "help": "Build this stage, not the last."}),
    (("--no-cache",), {"is_flag": True, "help": "Use nothing that earlier builds made."}),
    (
        ("--no-cache-filter",),
        {"multiple": True, "metavar": "STAGE", "help": "Use no cache in this stage."},
    ),
    (("--pull",), {"is_flag": True, "help": "Ask registries for newer base images."}),
    (("--lockfile",), {"metavar": "FILE", "help": "Take the digests that FILE locks images to."}),
    (("--locked",), {"is_flag": True, "help": "Refuse an image that the lockfile lacks."}),
    (("--platform",), {"metavar": "OS/ARCH", "help": "What the image is for."}),
    (("--label",), {"multiple": True, "metavar": "KEY=VALUE", "help": "Add a label."}),
    (("--annotation",), {"multiple": True, "metavar": "KEY=VALUE", "help": "Add to the manifest."}),
    (
        ("--secret",),
        {"multiple": True, "metavar": "id=ID,src=FILE", "help": "Let RUN mount a secret."},
    ),
    (
        ("--ssh",),
        {"multiple": True, "metavar": "default|ID=SOCKET", "help": "Let RUN use an agent."},
    ),
    (
        ("--add-host",),
        {"multiple": True, "metavar": "NAME:IP", "help": "A line of /etc/hosts in RUN."},
    ),
    (
        ("--network",),
        {
            "default": "default",
            "metavar": "NETWORK",
            "help": "Where RUN is: default, none, host, or a network of yours (default).",
        },
    ),
    (
        ("--progress",),
        {
            "default": "auto",
            "metavar": "auto|plain|tty|quiet|rawjson",
            "help": "How progress is shown (auto).",
        },
    ),
    (("-q", "--quiet"), {"is_flag": True, "help": "Print only the image's id."}),
    (("--iidfile",), {"metavar": "FILE", "help": "Write the image's id here."}),
    (("--metadata-file",), {"metavar": "FILE", "help": "Write what was made here, as JSON."}),
    (
        ("-o", "--output"),
        {
            "multiple": True,
            "metavar": "type=TYPE,dest=PATH",
            "help": "What becomes of it (an image in the store).",
        },
    ),
    (("--load",), {"is_flag": True, "help": "The same as --output type=docker."}),
    (("--squash",), {"is_flag": True, "help": "Make one layer of all that is new."}),
    (
        ("--build-context",),
        {
            "multiple": True,
            "metavar": "NAME=PLACE",
            "help": "One more context, or a stand-in for an image.",
        },
    ),
    (
        ("-v", "--volume"),
        {
            "multiple": True,
            "metavar": "SRC:DST[:ro]",
            "help": "Show a directory of the host in RUN.",
        },
    ),
    (("--check",), {"is_flag": True, "help": "Check the Dockerfile and build nothing."}),
    (
        ("--jobs",),
        {
            "type": int,
            "default": 0,
            "metavar": "N",
            "help": "How many stages at once (one a CPU, 2 at least).",
        },
    ),
    (
        ("--cache-from",),
        {
            "multiple": True,
            "metavar": "type=TYPE,...",
            "help": "Take steps of earlier builds from there, too.",
        },
    ),
    (
        ("--cache-to",),
        {
            "multiple": True,
            "metavar": "type=TYPE,...",
            "help": "Keep the steps of this build there, too.",
        },
    ),
    (
        ("--ulimit",),
        {"multiple": True, "metavar": "NAME=SOFT[:HARD]", "help": "Set a resource limit in RUN."},
    ),
    (("--push",), {"is_flag": True, "help": "The same as --output type=registry."}),
    (
        ("--call",),
        {"metavar": "METHOD", "default": "build", "help": "What to do: build or check (build)."},
    ),
    (("--provenance",), {"metavar": "false", "help": "Only false: no attestation is made."}),
    (("--sbom",), {"metavar": "false", "help": "Only false: no attestation is made."}),
    (
        ("--attest",),
        {
            "multiple": True,
            "metavar": "type=TYPE,disabled=true",
            "help": "Only disabled ones: none is made.",
        },
    ),
    (("--compress",), {"is_flag": True, "help": "Changes nothing: the context is not sent."}),
    (
        ("--disable-content-trust",),
        {"is_flag": True, "help": "Changes nothing: no signature is checked."},
    ),
    (("--force-rm",), {"is_flag": True, "help": "Changes nothing: no container is left."}),
    (("--rm",), {"is_flag": True, "help": "Changes nothing: no container is left."}),
)


def _with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for names, settings in reversed((*_OPTIONS, *BUILD_OPTIONS)):
        command = click.option(*names, **settings)(command)
    return command


@click.command(options_metavar="[OPTIONS]")
@_with_options
@click.argument("context", metavar="PATH | URL | -")
def build(*, context: str, **options: Any) -> int:
    """Build an image from a Dockerfile."""
    from sandbox.builder.errors import BuildFailed
    from sandbox.cli.open_engine import open_to_start
    from sandbox.cli.output.build_progress import display

    request = _request(context, options)
    warn_of_build(options)
    signal.signal(signal.SIGTERM, _stop)
    kind = "quiet" if options["quiet"] else options["progress"]
    engine = open_to_start()
    with display(kind) as progress:
        try:
            result = engine.builds.build(request, progress)
        except BuildFailed as exc:
            progress.finish()
            _failed(exc)
            return 1
    if request.check:
        return _checked(result)
    _report(result, options)
    if result.warnings and kind not in ("quiet", "none", "rawjson"):
        _warn(result.warnings)
    if _is_pushed(request.outputs):
        _push(options["tag"], quiet=options["quiet"])
    return 0


def _is_pushed(outputs: tuple[Output, ...]) -> bool:
    return any(item.push for item in outputs)


def _push(names: tuple[str, ...], *, quiet: bool) -> None:
    from sandbox.cli.output.transfer_progress import progress_shown
    from sandbox.engine import Engine

    for name in names:
        with progress_shown(quiet=quiet, to_stderr=True) as progress:
            Engine().images.push(name, all_tags=False, progress=progress)


def _checked(result: BuildResult) -> int:
    count = len(result.warnings)
    if count:
        found = "1 warning has" if count == 1 else f"{count} warnings have"
        click.echo(f"Check complete, {found} been found!")
    elif result.error is None:
        click.echo("Check complete, no warnings found.")
    for warning in result.warnings:
        click.echo(f"\n{warning}", nl=False)
    if result.error is not None:
        _failed(result.error)
    return 1 if count or result.error is not None else 0


def _failed(error: BuildFailed) -> None:
    if error.excerpt:
        click.echo(error.excerpt, err=True)
    click.echo(f"ERROR: {error.message}", err=True)


def _warn(warnings: tuple[str, ...]) -> None:
    count = "1 warning" if len(warnings) == 1 else f"{len(warnings)} warnings"
    click.echo(f"\n {count} found (use --check to expand):", err=True)
    for warning in warnings:
        click.echo(f" - {warning}", err=True)


def _stop(*_: object) -> None:
    """End like an interrupt by the user: kill running steps and remove the workspace."""
    raise KeyboardInterrupt


def _report(result: BuildResult, options: Mapping[str, Any]) -> None:
    if options["quiet"] and result.image_id:
        click.echo(result.image_id)
    if options["iidfile"] and result.image_id:
        _write(options["iidfile"], result.image_id)
    if options["metadata_file"]:
        facts: dict[str, Any] = {}
        if result.image_id:
            facts["containerimage.config.digest"] = result.image_id
            facts["containerimage.digest"] = result.digest or result.image_id
        if result.names:
            facts["image.name"] = ",".join(result.names)
        _write(options["metadata_file"], json.dumps(facts, indent=2) + "\n")


def _write(path: str, text: str) -> None:
    from sandbox.errors import map_os_errors

    with map_os_errors(f"cannot write {path}"), open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _request(context: str, options: Mapping[str, Any]) -> BuildRequest:
    from sandbox.builder import request as asked
    from sandbox.engine.lockfile import chosen_lockfile
    from sandbox.errors import UsageError
    from sandbox.runtime import spec

    _check_attestations(options)
    outputs = tuple(asked.parse_output(text) for text in options["output"])
    if options["load"]:
        outputs = (*outputs, asked.Output("docker"))
    if options["push"]:
        outputs = (*outputs, asked.parse_output("type=registry"))
    if _is_pushed(outputs) and not options["tag"]:
        raise UsageError("tag is needed when pushing to registry")
    contexts = {}
    for text in options["build_context"]:
        name, equals, place = text.partition("=")
        if not equals or not name or not place:
            raise UsageError(f"invalid context value: {text}, expected key=value")
        contexts[name] = place
    return asked.BuildRequest(
        context=context,
        stdin=sys.stdin.buffer,
        dockerfile=options["file"],
        tags=tuple(options["tag"]),
        build_args=_arguments(options["build_arg"]),
        target=options["target"],
        no_cache=options["no_cache"],
        no_cache_filter=tuple(
            name for text in options["no_cache_filter"] for name in text.split(",")
        ),
        pull=options["pull"],
        lock=chosen_lockfile(options["lockfile"], strict=options["locked"]),
        platform=_platform(options["platform"]),
        labels=spec.parse_labels(options["label"]),
        annotations=dict(asked.parse_annotation(text) for text in options["annotation"]),
        secrets=tuple(asked.parse_secret(text, os.environ) for text in options["secret"]),
        ssh=tuple(asked.parse_ssh(text, os.environ) for text in options["ssh"]),
        hosts=tuple(asked.parse_host(text) for text in options["add_host"]),
        network=options["network"],
        outputs=outputs,
        squash=options["squash"],
        contexts=contexts,
        volumes=tuple(_volume(text) for text in options["volume"]),
        ulimits=tuple(spec.parse_ulimit(text) for text in options["ulimit"]),
        cache_from=tuple(asked.parse_cache(t, "--cache-from") for t in options["cache_from"]),
        cache_to=tuple(asked.parse_cache(t, "--cache-to") for t in options["cache_to"]),
        jobs=options["jobs"],
        check=_only_checks(options),
        epoch=_epoch(options["build_arg"]),
    )


def _only_checks(options: Mapping[str, Any]) -> bool:
    from sandbox.errors import Unsupported

    if options["call"] not in ("build", "check", "lint"):
        raise Unsupported(f"--call={options['call']} is not supported: build or check")
    return bool(options["check"] or options["call"] != "build")


def _check_attestations(options: Mapping[str, Any]) -> None:
    """Refuse attestations; an option that disables them is fine."""
    from sandbox.errors import Unsupported

    off = ("false", "0", "f", "F", "FALSE", "False")
    for name in ("provenance", "sbom"):
        if options[name] is not None and options[name] not in off:
            raise Unsupported(f"--{name} is not supported: no attestations are made")
    if any("disabled=true" not in text.split(",") for text in options["attest"]):
        raise Unsupported("--attest is not supported: no attestations are made")


def _platform(text: str | None) -> str | None:
    from sandbox.errors import Unsupported
    from sandbox.runtime import spec

    if text is None:
        return None
    if "," in text:
        raise Unsupported("several platforms at once are not supported: build them one by one")
    return "/".join(spec.parse_platform(text))


def _arguments(texts: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if equals:
            found[name] = value
        elif name in os.environ:
            found[name] = os.environ[name]
    return found


def _epoch(texts: tuple[str, ...]) -> int | None:
    from sandbox.errors import UsageError

    text = _arguments(texts).get("SOURCE_DATE_EPOCH", os.environ.get("SOURCE_DATE_EPOCH", ""))
    if not text:
        return None
    if not text.isdecimal() or len(text) > 11:
        raise UsageError(f"invalid SOURCE_DATE_EPOCH: {text}")
    return int(text)


def _volume(text: str) -> Any:
    from sandbox.errors import UsageError
    from sandbox.runtime.mounts import parse_volume

    mount = parse_volume(text, os.getcwd())
    if mount.type != "bind":
        raise UsageError(f"invalid volume '{text}': a build binds directories of the host only")
    return mount


@click.command("prune", options_metavar="[OPTIONS]")
@click.option(
    "-a", "--all", "everything", is_flag=True, help="Include entries that images still use."
)
@click.option("-f", "--force", is_flag=True, help="Do not ask for confirmation.")
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="until=AGE",
    help="Remove only entries not used since then.",
)
@click.option(
    "--keep-storage",
    "--reserved-space",
    "keep",
    default="",
    metavar="BYTES",
    help="Keep this much of the last used entries.",
)
def prune(*, everything: bool, force: bool, filters: tuple[str, ...], keep: str) -> None:
    """Remove the build cache."""
    from sandbox.cli.confirm import agrees
    from sandbox.cli.output.format import human_size
    from sandbox.engine import Engine
    from sandbox.models.policy import parse_bytes

    what = "all build cache" if everything else "all dangling build cache"
    if not agrees(f"WARNING! This will remove {what}.", force=force, on_one_line=True):
        return
    size = parse_bytes(keep) if keep else 0
    pruned = Engine().builds.prune(everything=everything, filters=filters, keep=size)
    for name in pruned.builds:
        click.echo(name)
    click.echo(f"Total:\t{human_size(pruned.freed)}")


_COMMANDS = {
    "build": ("images.build", "build", "Build an image from a Dockerfile"),
    "prune": ("images.build", "prune", "Forget what builds remember"),
}


@click.command(cls=lazy_group(_COMMANDS, {}), subcommand_metavar="COMMAND")
def builder() -> None:
    """Manage builds."""
