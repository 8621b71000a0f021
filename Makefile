# SPDX-License-Identifier: MIT
#
# `make` alone prints the targets.
# Root never starts a container: for root, run, test, bench and others continue as a throwaway user (tools/as-user.sh).

VENV := .venv
BIN := $(VENV)/bin
PYTHON_FILES := sandbox tests tools setup.py $(wildcard bench)
C_FILES := $(shell find csrc tests bench -name '*.[ch]' 2>/dev/null)
SECONDS ?= 60
T ?= tests
# One worker per core; `make test WORKERS=0` runs one test at a time.
WORKERS ?= $(shell nproc)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
IS_ROOT := $(filter 0,$(shell id -u))

.DEFAULT_GOAL := help
.PHONY: help setup build run test check lint types fmt test-c test-asan test-py test-restricted test-interceptors test-one test-long fuzz fuzz-calls bench cov docs clean needs-dev

help: ## print this list
	@sed -nE 's/^(# )?([a-z-]+)( [a-z-]+)*:.*## (.*)/\2#\4/p' $(MAKEFILE_LIST) | \
		awk -F '#' '{ printf "  make %-16s %s\n", $$1, $$2 }'

# ---- environment ----------------------------------------------------------------------------

setup: ## virtual environment with everything a developer needs, and the build
	@tools/system-packages.sh run
	@tools/setup.sh dev

$(VENV)/ready-dev: pyproject.toml setup.py tools/setup.sh
	@tools/system-packages.sh run
	@tools/setup.sh dev

$(VENV)/ready-run: pyproject.toml setup.py tools/setup.sh
	@tools/setup.sh run

$(VENV)/ready-docs: pyproject.toml setup.py tools/setup.sh
	@tools/system-packages.sh run
	@tools/setup.sh docs

build: $(VENV)/ready-dev ## compile csrc/ into the hosted extension and the guest ELF
	@$(BIN)/python -P sandbox/native/build.py

# ---- the two commands -----------------------------------------------------------------------

ifdef IS_ROOT
run test test-long test-interceptors bench fuzz cov:
	@tools/as-user.sh $@
else
run:
	@tools/system-packages.sh run
	@if [ ! -e $(VENV)/ready-dev ]; then $(MAKE) --no-print-directory $(VENV)/ready-run; fi
	@$(BIN)/python -P sandbox/native/build.py
	@tools/demo.sh

test:
	@tools/system-packages.sh test
	@[ -n "$(SANDBOX_TEST_FIXTURES)" ] || tests/fixtures/prepare.sh build/fixtures
	@$(MAKE) --no-print-directory lint types test-asan test-py test-restricted

test-long: build
	@[ -n "$(SANDBOX_TEST_FIXTURES)" ] || tests/fixtures/prepare.sh build/fixtures
	@$(PYTEST) -m 'long and not network'

test-interceptors: build
	@for way in trap rewrite ptrace; do \
		SANDBOX_TEST_INTERCEPTOR=$$way $(PYTEST) tests/guest || exit 1; done

bench: build
	@[ -n "$(SANDBOX_TEST_FIXTURES)" ] || tests/fixtures/prepare.sh build/fixtures
	@$(BIN)/python -m pytest bench -p no:schemathesis --benchmark-only --benchmark-quiet --timeout 0 -q -rN

fuzz: build
	@SANDBOX_FUZZ_SECONDS=$(SECONDS) $(BIN)/python -m pytest $(if $(filter tests,$(T)),tests/property,$(T)) --hypothesis-profile fuzz --timeout 0

cov: build
	@$(BIN)/coverage run -m pytest tests/unit tests/property && $(BIN)/coverage report
endif
fuzz-calls: build ## as root, for SECONDS=60: random programs of system calls in containers, compared with the kernel
	@$(BIN)/python -m tests.calls $(SECONDS)

# The list of targets reads these lines:
# run: ## set up, then be root in a container of this machine and harm nothing
# test: ## set up, then lint, types, C tests under sanitizers, Python tests, guest tests again in a restricted pod
# test-long: ## the tests that take too long for `make test` (marker long)
# test-interceptors: ## the guest tests three times: with traps, with rewritten call sites, with ptrace
# bench: ## measure against native and the installed peers, results in bench/results/ (QUICK=1: fewer rounds)
# fuzz: ## each property test for SECONDS=60; T=tests/property/... chooses some
# cov: ## coverage of the Python code

# ---- checks ---------------------------------------------------------------------------------

check: lint types test-c ## before a commit: lint, types, C tests, the quick tests
	@$(PYTEST) -m 'not slow and not long and not network' --ignore=tests/c

lint: build ## ruff, clang-format, import contracts, no circles of files, gcc warnings as errors, gcc -fanalyzer
	@$(BIN)/ruff check $(PYTHON_FILES)
	@$(BIN)/ruff format --check $(PYTHON_FILES)
	@$(BIN)/lint-imports --no-logo 2>&1 || $(BIN)/lint-imports
	@$(if $(C_FILES),$(BIN)/clang-format --dry-run -Werror $(C_FILES))
	@$(BIN)/python -m tools.circles
	@$(BIN)/python -P sandbox/native/build.py --check --analyze

types: build ## mypy --strict
	@$(BIN)/mypy

fmt: $(VENV)/ready-dev ## format Python and C in place
	@$(BIN)/ruff check --fix-only --quiet $(PYTHON_FILES)
	@$(BIN)/ruff format --quiet $(PYTHON_FILES)
	@$(if $(C_FILES),$(BIN)/clang-format -i $(C_FILES))

# ---- tests ----------------------------------------------------------------------------------

test-asan test-c: build ## C unit tests of the hosted code under ASan and UBSan
	@$(PYTEST) tests/c

test-py: build ## every Python test, guest tests included
	@$(PYTEST) -m 'not long and not network' --ignore=tests/c

test-restricted: build ## the guest tests with user namespaces, mounts and clone3 forbidden
	@$(BIN)/python tests/harness/restrict.py $(PYTEST) -m 'guest and not long and not network'

test-one: build ## one test: make test-one T=tests/unit/store
	@$(BIN)/python -m pytest $(T)

# ---- documents ------------------------------------------------------------------------------

docs: $(VENV)/ready-docs ## the site in build/site and the man pages in build/man; fails on a dead link
	@$(BIN)/python -m tools.manual build/man
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --clean
	@echo "build/site/index.html, build/man"

clean: ## remove everything built
	rm -rf build .venv *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -f sandbox/native/*.so sandbox/native/sandbox-guest
