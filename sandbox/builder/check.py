# SPDX-License-Identifier: MIT
"""Errors and lint warnings of a Dockerfile: for ``--check``, and before a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.builder.errors import BuildFailed
from sandbox.builder.request import BuildResult
from sandbox.dockerfile.errors import DockerfileError, snippet
from sandbox.dockerfile.lint import lint
from sandbox.dockerfile.parser import parse_until_error
from sandbox.dockerfile.plan import ImageSource
from sandbox.dockerfile.planner import plan
from sandbox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.builder.build_context import Context
    from sandbox.builder.services import Services
    from sandbox.dockerfile.dockerignore import IgnoreRules
    from sandbox.dockerfile.instructions import Instruction
    from sandbox.dockerfile.plan import Wanted
    from sandbox.dockerfile.stages import Dockerfile
    from sandbox.dockerfile.warnings import Checked, Warning  # noqa: A004 - the language's word
    from sandbox.errors import SandboxError
    from sandbox.models.image import Image


def check(context: Context, wanted: Wanted, ignore: IgnoreRules, services: Services) -> BuildResult:
    """Check the file alone, with the images that the store already has; build nothing."""
    raw = context.dockerfile.encode("utf-8", "surrogateescape")
    dockerfile, error = parse_until_error(raw, name=context.name)
    known = {} if error is not None else _known(dockerfile, wanted, services)
    found = lint(
        dockerfile, wanted, ignore=ignore if ignore.rules else None, environments=known, error=error
    )
    failure = found.error or _violation(found, dockerfile)
    return BuildResult(
        warnings=tuple(_told(warning, dockerfile) for warning in found.warnings),
        error=None if failure is None else _failed(failure),
    )


def warn(
    dockerfile: Dockerfile,
    wanted: Wanted,
    ignore: IgnoreRules,
    images: Mapping[int, Image],
    triggers: Mapping[int, tuple[Instruction, ...]],
) -> tuple[str, ...]:
    """Return the warnings before a build; raise the error that would end it."""
    found = lint(
        dockerfile,
        wanted,
        ignore=ignore if ignore.rules else None,
        environments={index: _environment(image) for index, image in images.items()},
        triggers=triggers,
        all_stages=False,
    )
    if found.error is not None:
        raise found.error
    lines = tuple(str(warning) for warning in found.warnings)
    failure = _violation(found, dockerfile)
    if failure is not None:
        raise BuildFailed(failure.reason, excerpt="\n".join([*lines, failure.snippet]))
    return lines


def _known(dockerfile: Dockerfile, wanted: Wanted, services: Services) -> dict[int, dict[str, str]]:
    try:
        planned = plan(dockerfile, wanted, all_stages=not wanted.target)
    except UsageError:
        return {}
    known = {}
    for stage in planned.stages:
        if isinstance(stage.base, ImageSource):
            platform = stage.platform or wanted.platform
            image = services.stored_image(stage.base.reference, platform=platform)
            if image is not None:
                known[stage.index] = _environment(image)
    return known


def _environment(image: Image) -> dict[str, str]:
    return dict(entry.partition("=")[::2] for entry in image.config.env or ())


def _violation(found: Checked, dockerfile: Dockerfile) -> DockerfileError | None:
    if not found.fails:
        return None
    return DockerfileError(
        found.summary, name=dockerfile.name, text=dockerfile.text, span=found.warnings[0].span
    )


def _failed(failure: SandboxError) -> BuildFailed:
    if isinstance(failure, DockerfileError):
        return BuildFailed(failure.reason, excerpt=failure.snippet)
    return BuildFailed(failure.message)


def _told(warning: Warning, dockerfile: Dockerfile) -> str:
    shown = snippet(dockerfile.text, warning.span, name=dockerfile.name)
    return f"WARNING: {warning.rule} - {warning.url}\n{warning.message}\n{shown}\n"
