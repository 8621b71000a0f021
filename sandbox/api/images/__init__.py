# SPDX-License-Identifier: MIT
"""The endpoints of images: records, transfers and archives."""
