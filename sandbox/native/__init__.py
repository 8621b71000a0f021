# SPDX-License-Identifier: MIT
"""The C core: the only package that touches the extension."""
