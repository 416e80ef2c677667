# Longhand: `make run` starts it, `make test` tests it; both set up all they need from the lock files.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check bench format lock assets clean always
.NOTPARALLEL:

export PYTHON

VENV := .venv
UV := $(VENV)/bin/uv
INSTALL := $(UV) pip install --quiet --python $(VENV)/bin/python
COMPILE := $(UV) pip compile --universal --generate-hashes --python-version 3.11 --quiet --no-header
ARGS ?=
TEST_ARGS = $(if $(ARGS),$(ARGS),-n 3 --dist loadgroup --no-loadscope-reorder)

# An environment whose Python is gone, or that was copied from another folder, is made anew.
VENV_IS_OURS := $(shell $(VENV)/bin/python -c '' 2>/dev/null && cat $(VENV)/.bootstrapped 2>/dev/null)
REMAKE := $(if $(filter $(CURDIR),$(VENV_IS_OURS)),,always)

help:
	@echo "make run     start Longhand on http://127.0.0.1:8000; Ctrl-C stops it"
	@echo "make test    all tests (ARGS=... replaces pytest's flags)"
	@echo "make check   formatter, linter, types, import rules"
	@echo "make bench   the benchmarks"
	@echo "make format  format the code"
	@echo "make lock    compile the lock files anew"

run: $(VENV)/.project static/vendor/.installed
	@exec $(VENV)/bin/longhand up

test: $(VENV)/.project $(VENV)/.development static/vendor/.installed
	@sh deploy/browser.sh
	$(VENV)/bin/pytest $(TEST_ARGS)

check: $(VENV)/.project $(VENV)/.development
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy --strict app worker bench tests
	$(VENV)/bin/lint-imports

bench: $(VENV)/.project $(VENV)/.development static/vendor/.installed
	@exec $(VENV)/bin/python -m bench $(ARGS)

format: $(VENV)/.development
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

assets: static/vendor/.installed

clean:
	rm -rf $(VENV) .tools node_modules static/vendor

lock: $(VENV)/.bootstrapped
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock deploy/bootstrap.in -o deploy/bootstrap.lock
	$(COMPILE) deploy/node.in -o deploy/node.lock
	npm install --package-lock-only --ignore-scripts

# Each stamp is newer than the lock file it was installed from; a changed lock file installs again.

$(VENV)/.bootstrapped: deploy/bootstrap.lock $(REMAKE)
	@echo "Making the virtual environment"
	@[ ! -L $(VENV) ] || rm $(VENV) # a link leads to somebody else's, which is not to be cleared
	@python=$$(sh deploy/python.sh) && "$$python" -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/bootstrap.lock
	@echo "$(CURDIR)" > $@

$(VENV)/.runtime: requirements.lock $(VENV)/.bootstrapped
	@echo "Installing the Python packages of requirements.lock"
	@$(INSTALL) --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the Python packages of requirements-dev.lock"
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.runtime
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

static/vendor/.installed: package-lock.json package.json deploy/node.lock deploy/assets.sh | $(VENV)/.bootstrapped
	@echo "Installing the browser assets of package-lock.json"
	@sh deploy/assets.sh
	@touch $@
