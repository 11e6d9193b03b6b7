# Two commands are enough: `make run` and `make test`. Each target sets up .venv by itself when it is
# missing or older than requirements.lock or pyproject.toml.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Python 3.11 and nothing else is expected of the machine.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LINTED := bluemirror pipelines simulator feature_repo tests mutants

.PHONY: help run test proofs lint format mutants bench ui lock install clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(READY)  ## the night, whole: landing files to registered scorecards
	@$(BIN)/bluemirror run

test: lint $(READY)  ## ruff, mypy, pytest
	@$(BIN)/python -m pytest -m "not proof" -n 2 --dist loadfile $(PYTEST)

proofs: $(READY)  ## every variable against its second implementation, mutations, determinism; says its numbers
	@$(BIN)/python -m pytest -m proof -s $(PYTEST)

lint: $(READY)  ## ruff and mypy
	@$(BIN)/ruff check $(LINTED)
	@$(BIN)/ruff format --check $(LINTED)
	@$(BIN)/mypy

format: $(READY)  ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix $(LINTED)
	@$(BIN)/ruff format $(LINTED)

mutants: $(READY)  ## break one rule at a time and show that a test fails for each
	@$(BIN)/python -m mutants

bench: $(READY)  ## measured speed against the budgets
	@$(BIN)/bluemirror bench

ui: $(READY)  ## Dagster and MLflow on the loopback
	@$(BIN)/bluemirror ui

lock: $(READY)  ## resolve requirements.lock anew; holds no address of a package index
	@$(BIN)/uv pip compile pyproject.toml --extra all --extra dev --python-version 3.11 --upgrade \
	  --no-emit-index-url --no-emit-package nvidia-nccl-cu12 \
	  --custom-compile-command "make lock" --quiet -o requirements.lock

install: $(READY)  ## set up .venv only

# --no-deps: the lock is complete as it stands. It leaves out nvidia-nccl-cu12, 300 MB that XGBoost loads
# only to train on several GPUs. Bytecode is compiled here because heavy libraries without it cost every
# process seconds wherever PYTHONDONTWRITEBYTECODE is set. pip steps in where uv cannot reach an index.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "setting up $(VENV) (once; about a minute)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	@unset VIRTUAL_ENV; export VIRTUAL_ENV="$$PWD/$(VENV)" UV_LINK_MODE=copy; \
	  { $(BIN)/uv pip install --quiet --no-deps --compile-bytecode -r requirements.lock \
	    && $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .; } \
	  || { echo "uv could not; pip installs the same lock" >&2; \
	       $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock \
	       && $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . \
	       && { $(BIN)/python -m compileall -q -j 2 $(VENV)/lib || true; }; }
	@touch $@

clean:  ## remove what can be rebuilt: .venv, data, caches
	rm -rf $(VENV) data landing build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis mlruns
	rm -rf tests/workspaces/*/data tests/workspaces/*/landing
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
