# SPDX-License-Identifier: MIT
"""Build images of Dockerfiles: stages as a graph, a layer a step, a cache that is right.

* ``build``: the entry to this package. ``request``: what the user asked for.
* ``build_job``, ``executor``, ``stage_graph``: one build and its stages.
* ``stage``, ``stage_steps``: one stage and its steps.
* ``instructions``: what each instruction does to a stage. ``cache``: results of earlier steps.
* ``build_context``, ``stage_images``, ``file_views``: the files that instructions read.
* ``workspace``: stacks of layers as trees. ``outputs``: what becomes of the result.
* ``progress``: what is told while a build goes on.
"""
