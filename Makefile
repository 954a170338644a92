# The one door for work on Keywright: `make up` runs it, `make test` proves it.
# Needs python3 (3.11 or newer) with its venv module, and make; everything else lands in .venv.

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check

.PHONY: help up test lint format lab soak bench bench-application bench-docker bench-linux wheel clean

help:
	@echo 'make up      set up everything and start a proven server under the environment local'
	@echo 'make test    all tests that need no root'
	@echo 'make lint    style, types and the layers'
	@echo 'make lab     the tests that need root and Debian packages'
	@echo 'make soak    `up` in Docker killed at every boundary (an hour; needs what make lab needs)'
	@echo 'make bench   the figures, as ratios against their limits'
	@echo 'make bench-application   the library against its peers (in `make bench` too)'
	@echo 'make bench-docker   the figures in Docker (needs root and Debian packages)'
	@echo 'make bench-linux    the figures of a Linux host (needs root and Debian packages)'
	@echo 'make clean   remove everything that make made (no data of any environment)'

up: $(VENV)/.ops
	@$(VENV)/bin/keywright up

test: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -m 'not lab' -n 2 --dist loadgroup

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lab: $(VENV)/.dev
	@test "$$(id -u)" = 0 || { echo 'make lab: needs root, because it starts a Docker Engine and makes networks' >&2; exit 1; }
	$(VENV)/bin/python -m pytest -m lab -n 2 --dist loadfile

soak: $(VENV)/.dev
	KEYWRIGHT_SOAK=1 $(VENV)/bin/python -m pytest -m lab tests/lab/test_docker_killed.py

bench: $(VENV)/.dev $(VENV)/.bench
	$(VENV)/bin/python bench/startup.py
	$(VENV)/bin/python bench/up.py
	$(VENV)/bin/python bench/rotation.py
	$(VENV)/bin/python bench/logs.py
	$(VENV)/bin/python bench/keys.py
	$(VENV)/bin/python bench/application

bench-application: $(VENV)/.bench
	$(VENV)/bin/python bench/application

bench-docker: $(VENV)/.dev
	@test "$$(id -u)" = 0 || { echo 'make bench-docker: needs root, because it starts a Docker Engine' >&2; exit 1; }
	$(VENV)/bin/python bench/docker.py

bench-linux: $(VENV)/.dev
	@test "$$(id -u)" = 0 || { echo 'make bench-linux: needs root, because it starts a Docker Engine' >&2; exit 1; }
	$(VENV)/bin/python bench/linux.py

wheel: $(VENV)/.dev
	$(VENV)/bin/python -m build --wheel --no-isolation

clean:
	rm -rf $(VENV) build dist src/*.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up ---------------------------------------------------------------------------------------
# A stamp file says which extras are installed. It is void when pyproject.toml changed, or when the
# folder was moved: scripts and the editable install name the place where they were made.

ifneq ($(shell cat $(VENV)/.place 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.place
endif

APT := sudo apt-get install -y python3 python3-venv make git

$(VENV)/.place:
	@command -v '$(PYTHON)' >/dev/null 2>&1 || { \
	  echo 'keywright: there is no $(PYTHON) here' >&2; \
	  echo '  on Debian and Ubuntu: $(APT)' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "keywright: Python 3.11 or newer is needed, $(PYTHON) is $$('$(PYTHON)' -V 2>&1)" >&2; \
	  echo '  on Debian and Ubuntu: $(APT)' >&2; \
	  echo '  or name another one: make PYTHON=python3.12 up' >&2; exit 1; }
	@rm -rf $(VENV)
	@'$(PYTHON)' -m venv $(VENV) >.venv-error 2>&1 && $(VENV)/bin/python -m pip --version >>.venv-error 2>&1 || { \
	  echo 'keywright: $(PYTHON) cannot make a virtual environment (its venv module is missing)' >&2; \
	  echo '  on Debian and Ubuntu: $(APT)' >&2; \
	  sed 's/^/  | /' .venv-error >&2; rm -rf $(VENV) .venv-error; exit 1; }
	@rm -f .venv-error
	@printf '%s\n' "$$(pwd -P)" > $@

$(VENV)/.ops: pyproject.toml $(VENV)/.place
	@echo 'keywright: installing into $(VENV) (once, about a minute)'
	@$(PIP) install --quiet --editable '.[ops]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.place
	@echo 'keywright: installing into $(VENV) what the tests need (once, about a minute)'
	@$(PIP) install --quiet --editable '.[ops,dev]'
	@touch $(VENV)/.ops $@

# The peers; redis-om apart, because it brings type stubs of a redis-py of long ago.
$(VENV)/.bench: pyproject.toml $(VENV)/.place
	@echo 'keywright: installing into $(VENV) what the library is measured against'
	@$(PIP) install --quiet --editable '.[bench]'
	@$(VENV)/bin/python -m venv $(VENV)/redis-om
	@$(VENV)/redis-om/bin/python -m pip --disable-pip-version-check install --quiet 'redis-om>=1.0' 'hiredis>=3.2'
	@touch $@
