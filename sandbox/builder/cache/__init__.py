# SPDX-License-Identifier: MIT
"""The build cache: keys of steps, the layers found by them, and caches in registries."""
