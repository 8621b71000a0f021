#!/bin/bash
# SPDX-License-Identifier: MIT
#
# setup.sh run|dev|docs - make the virtual environment .venv, and install the package in it, editable and built.
set -euo pipefail

cd "$(dirname "$0")/.."
what=.
[ "$1" = run ] || what=".[$1]"
# `import pip` fails in an environment that is incomplete, or whose Python is gone.
if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
	rm -rf .venv
	"$(tools/find-python.sh)" -m venv .venv
fi
# compat: a line in a .pth file. The default is a hook, which costs 15 ms at every start.
.venv/bin/python -m pip install -qq --disable-pip-version-check \
	--config-settings editable_mode=compat -e "$what"
touch ".venv/ready-$1"
