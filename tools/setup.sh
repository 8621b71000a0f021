#!/bin/bash
# SPDX-License-Identifier: MIT
#
# setup.sh run|dev - a virtual environment in .venv with the package installed editable (and built).
set -euo pipefail

cd "$(dirname "$0")/.."
what=.
[ "$1" = dev ] && what='.[dev]'
# `import pip` fails in an environment that was interrupted or whose Python has gone.
if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
	rm -rf .venv
	"$(tools/find-python.sh)" -m venv .venv
fi
# compat: a line in a .pth file; the default is a hook that costs every start 15 ms.
.venv/bin/python -m pip install -qq --disable-pip-version-check \
	--config-settings editable_mode=compat -e "$what"
touch ".venv/ready-$1"
