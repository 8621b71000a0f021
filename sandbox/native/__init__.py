# SPDX-License-Identifier: MIT
"""Python's interface to the C core. Only this package uses the extension module."""
