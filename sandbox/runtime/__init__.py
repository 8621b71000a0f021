# SPDX-License-Identifier: MIT
"""How a container is described, started, watched and ended."""
