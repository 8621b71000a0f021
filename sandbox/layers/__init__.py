# SPDX-License-Identifier: MIT
"""Layers and image archives: unpacks tars into layers, and packs layers into tars."""
