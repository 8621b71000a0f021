# SPDX-License-Identifier: MIT
"""Random programs of system calls, played by the kernel's root and in a container."""
