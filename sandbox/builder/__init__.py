# SPDX-License-Identifier: MIT
"""Build images from Dockerfiles: a graph of stages, one layer a step, and a build cache.

* ``build``: the entry to this package. ``request``: the user's options.
* ``build_job``, ``executor``, ``stage_graph``: one build and its stages.
* ``stage``, ``stage_steps``: one stage and its steps.
* ``instructions``: what each instruction does to a stage. ``cache``: results of earlier steps.
* ``build_context``, ``stage_images``, ``file_views``: the files that instructions read.
* ``workspace``: stacks of layers as trees. ``outputs``: images, archives, directories.
* ``progress``: the events of a running build.
"""
