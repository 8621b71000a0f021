# SPDX-License-Identifier: MIT
"""Build images of Dockerfiles: stages as a graph, a layer a step, a cache that is right.

* ``request``: what the user asked for. ``progress``: what is told on the way.
* ``state``, ``metadata``, ``history``, ``keys``, ``transfer``: pure, what a step means.
* ``views``: the files of a context or a stage. ``workshop``: stacks of layers as trees.
* ``running``, ``runmounts``: RUN. ``contexts``, ``downloads``: where files come from.
* ``stages``, ``executor``: the graph. ``outputs``: what becomes of the result.
"""
