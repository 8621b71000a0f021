# SPDX-License-Identifier: MIT
"""The processes of a container: looked up, started, reaped, paused and killed."""
