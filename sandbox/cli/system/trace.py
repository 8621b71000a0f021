# SPDX-License-Identifier: MIT
"""``trace``: run a throwaway container and show its system calls.

Does not know: how a call is decoded.
"""

from __future__ import annotations

from typing import Any

import click

from sandbox.cli.containers.run import image_and_command
from sandbox.cli.containers.run_flags import SHARED_OPTIONS, request_of, write_cidfile
from sandbox.cli.idle_flags import TRACE_OPTIONS
from sandbox.cli.option_tables import SETTINGS, options


@click.command(context_settings=SETTINGS, options_metavar="[OPTIONS]")
@click.option("-c", "--count", is_flag=True, help="Show only a table of calls, ways in and times.")
@click.option("--calls", metavar="NAME,...", default="", help="Show only these calls.")
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of standard error.")
@options((*SHARED_OPTIONS, *TRACE_OPTIONS))
@image_and_command
def trace(*, count: bool, calls: str, output: str | None, **options: Any) -> int:
    """Run a throwaway container and show its intercepted system calls.

    Each line shows the call of the program, the resulting host path, the way in (trapped,
    rewritten or ptrace) and the time. This needs the extra 'trace'. Calls that are not
    intercepted (read, write, mmap of data...) are not shown.

    \b
    Examples:
      sandbox trace debian ls /etc
      sandbox trace -c host make
    """  # noqa: D301 - \b keeps click from filling the paragraph
    from sandbox.cli.containers.run_container import with_image
    from sandbox.engine import Engine
    from sandbox.runtime.process.start import Attachment

    request, flags = request_of({**options, "rm": True, "trace": True})
    view = ["--calls", calls]
    view += ["--count"] if count else []
    view += ["--output", output] if output else []
    attachment = Attachment(stdin=request.open_stdin, trace=True, view=tuple(view))
    return with_image(
        request,
        flags,
        lambda: Engine().containers.run(
            request,
            attachment,
            on_create=lambda container: write_cidfile(flags.cidfile, container),
        ),
    )
