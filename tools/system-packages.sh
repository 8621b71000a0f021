#!/bin/bash
# SPDX-License-Identifier: MIT
#
# system-packages.sh run|test - check that the system has the packages of `make run` or `make test`.
#
# Root on Debian installs the missing packages. Otherwise the script names them in one line and exits 1.
# The lists below are the only lists of needed packages: command:package, or directory:package.
set -euo pipefail

needs_run=(gcc:gcc make:make tar:tar)
needs_test=(
	musl-gcc:musl-tools mmdebstrap:mmdebstrap go:golang-go busybox:busybox-static
	zstd:zstd xz:xz-utils strace:strace gdb:gdb setfattr:attr setfacl:acl git:git tmux:tmux
	proot:proot bwrap:bubblewrap capsh:libcap2-bin setpriv:util-linux ps:procps file:file
	docker-registry:docker-registry skopeo:skopeo umoci:umoci htpasswd:apache2-utils openssl:openssl
	buildah:buildah
	/usr/share/gocode/src/github.com/opencontainers/image-spec/schema:golang-github-opencontainers-image-spec-dev
	/usr/include/asm:gcc-multilib
	g++:g++ vim.tiny:vim-tiny less:less htop:htop dpkg-deb:dpkg apt-get:apt
	dig:bind9-dnsutils host:bind9-host nginx:nginx-light node:nodejs
	curl:curl ss:iproute2 netstat:net-tools hostname:hostname stress-ng:stress-ng
)

missing_packages() {
	local need python
	for need in "$@"; do
		command -v "${need%%:*}" >/dev/null || [ -d "${need%%:*}" ] || echo "${need#*:}"
	done
	if ! python=$("$(dirname "$0")/find-python.sh" 2>/dev/null); then
		printf '%s\n' python3 python3-venv python3-dev
		return
	fi
	"$python" -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
	"$python" -c 'import sysconfig, os.path
raise SystemExit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))' ||
		echo python3-dev
	echo '#include <stdio.h>' | gcc -E - >/dev/null 2>&1 || echo libc6-dev
}

case ${1-} in
run) needs=("${needs_run[@]}") ;;
test) needs=("${needs_run[@]}" "${needs_test[@]}") ;;
*) echo "usage: $0 run|test" >&2 && exit 2 ;;
esac

mapfile -t missing < <(missing_packages "${needs[@]}" | sort -u)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "make $1: missing ${missing[*]}; as root: apt-get install ${missing[*]}" >&2
	exit 1
fi
# Checkouts may run this at the same time. They take turns: one installs, the next finds the packages.
mkdir -p /var/cache/rootless-sandbox
exec 8>/var/cache/rootless-sandbox/packages.lock
flock 8
mapfile -t missing < <(missing_packages "${needs[@]}" | sort -u)
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq 8>&-
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 "${missing[@]}" \
	</dev/null >/dev/null 8>&-
