# SPDX-License-Identifier: MIT
"""The modules of sandbox/ without a test file of their own, by the file that tests them.

Rules: a module stands here if it only carries out what others decided (it starts containers,
serves, shows) or only declares types. A module that decides has its own file in tests/unit/.
`test_architecture.py` checks this table.
"""

from __future__ import annotations

_PLACES = {
    # ---- the HTTP API -------------------------------------------------------------------
    "tests/api/test_server.py": "api.server api.system api.volumes api.disk_usage cli.system.serve",
    "tests/api/test_docker_py.py": "api.containers.lifecycle api.images.images api.images.archives",
    "tests/api/test_docker_cli.py": "api.images.pull api.images.push",
    "tests/api/test_docker_cli_networks.py": "api.networks",
    "tests/api/test_hijack.py": (
        "api.streams.hijack api.streams.websocket api.containers.attach api.containers.exec"
        " api.containers.exec_streams"
    ),
    "tests/api/test_events.py": "api.events.events",
    # ---- the command line ---------------------------------------------------------------
    "tests/unit/cli/test_docker_flags.py": (
        "cli.common_flags cli.lazy_group cli.unsupported_flags cli.usage_errors"
        " cli.containers.arguments cli.containers.group cli.idle_flags"
    ),
    "tests/unit/cli/test_main.py": (
        "__main__ command version cli.commands cli.open_engine cli.stdio"
    ),
    "tests/unit/engine/images/test_import_.py": "engine.images.indexing",
    "tests/unit/store/test_images.py": "models.image_record",
    "tests/unit/store/test_removed_trees.py": "store.sweeper",
    "tests/unit/cli/test_quick_words.py": "cli.option_tables",
    "tests/unit/cli/containers/test_run_flags.py": "cli.containers.environment_flags",
    "tests/unit/cli/containers/test_ps.py": "cli.containers.rm",
    "tests/unit/cli/images/test_images.py": (
        "cli.images.import_image cli.images.load cli.images.rmi cli.images.tag cli.system.system"
    ),
    "tests/integration/containers/test_attach.py": "cli.containers.attach",
    "tests/integration/images/test_commit.py": "cli.containers.commit",
    "tests/integration/containers/test_copying.py": "cli.containers.diff cli.containers.export",
    "tests/integration/containers/test_exec.py": (
        "cli.containers.exec cli.containers.exec_command cli.containers.top engine.containers.exec"
        " runtime.exec.holder runtime.exec.forkserver"
    ),
    "tests/integration/containers/test_detached.py": (
        "cli.containers.lifecycle cli.containers.logs cli.containers.wait"
        " engine.containers.logs engine.containers.stop engine.containers.wait"
        " engine.containers.supervisor runtime.process.kill"
    ),
    "tests/integration/network/test_publishing.py": (
        "cli.containers.port runtime.network.port_proxy"
    ),
    "tests/integration/containers/test_limits.py": "cli.containers.stats cli.containers.update",
    "tests/integration/containers/test_ipc.py": "native.ipc runtime.ipc",
    "tests/integration/containers/test_security.py": (
        "cli.containers.security_flags engine.containers.security"
    ),
    "tests/integration/images/test_explore.py": (
        "cli.images.explore_view cli.images.image_diff cli.images.image_explore"
    ),
    "tests/integration/images/test_registry.py": (
        "cli.images.login cli.images.pull cli.images.push"
        " engine.images.pull engine.images.push engine.registries.distribution"
        " registry.client registry.upload registry.session"
    ),
    "tests/integration/images/test_registry_auth.py": "registry.auth",
    "tests/integration/images/test_registry_faults.py": (
        "engine.images.pull_layer engine.images.blobs registry.download"
    ),
    "tests/integration/images/test_saving.py": "cli.images.save cli.manifest engine.images.save",
    "tests/integration/network/test_names.py": (
        "runtime.network.names.askers runtime.network.names.keeping runtime.network.names.server"
    ),
    "tests/integration/network/test_networks.py": "cli.network runtime.cleanup",
    "tests/integration/store/test_volumes.py": "cli.volume",
    "tests/integration/containers/test_interceptors.py": (
        "cli.system.doctor native.probe native.tracer runtime.tracer"
    ),
    "tests/integration/containers/test_lifecycle.py": "cli.system.events",
    "tests/integration/store/test_pruning.py": "cli.system.prune",
    "tests/integration/containers/test_supervision.py": "cli.system.service",
    "tests/unit/trace/test_trace.py": "trace.__main__ trace.decode",
    "tests/acceptance/test_cancellable_sites.py": "cli.system.trace runtime.trace_output",
    # ---- the engine ---------------------------------------------------------------------
    "tests/integration/containers/test_run.py": (
        "cli.containers.run cli.containers.run_container engine.containers.run"
        " engine.containers.start engine.containers.paths"
        " engine.containers.tree runtime.launch runtime.process.start"
    ),
    "tests/unit/engine/containers/test_prune.py": "engine.containers.remove",
    "tests/unit/engine/images/test_load.py": "engine.images.input engine.images.image_events",
    "tests/unit/engine/images/test_diff.py": "engine.images.merged",
    # ---- builds -------------------------------------------------------------------------
    "tests/integration/builds/test_build.py": (
        "builder.build builder.build_job builder.executor builder.stage builder.stage_steps"
        " builder.services builder.instructions.run"
        " builder.instructions.run_container builder.cache.step_layer"
    ),
    "tests/integration/builds/test_build_options.py": "builder.build_context builder.stage_images",
    "tests/integration/builds/test_build_checks.py": "builder.check",
    "tests/integration/builds/test_build_copying.py": (
        "builder.instructions.add builder.instructions.copy"
    ),
    "tests/integration/builds/test_build_mounts.py": "builder.instructions.run_mounts",
    "tests/integration/builds/test_build_outputs.py": (
        "builder.outputs builder.output_files builder.cache.export builder.cache.remote"
    ),
    "tests/unit/dockerfile/test_parser.py": "dockerfile.instructions dockerfile.stages",
    "tests/unit/dockerfile/test_planner.py": "dockerfile.plan",
    # ---- layers, the core, what is left of killed containers ----------------------------
    "tests/unit/layers/test_tar_reader.py": "layers.tar_entry",
    "tests/unit/layers/test_unpack.py": "native.layer_table",
    "tests/integration/builds/test_build_kills.py": "layers.upper_layer",
    "tests/unit/native/test_core.py": "native.index native.process_table native.tree_records",
}

TESTED_ELSEWHERE = {
    module: place for place, modules in _PLACES.items() for module in modules.split()
}
"""Module below sandbox/ -> the file that tests it."""
