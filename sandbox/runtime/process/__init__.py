# SPDX-License-Identifier: MIT
"""The processes of a container: look-up of the command, start, reaping, pause, kill."""
