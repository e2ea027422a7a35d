# make run     install into .venv and show everything at work; make run DATA=folder PORT=9443 PASSWORD_FILE=file
# make test    install what tests need and run everything: style, types, layers, tests
# make check   the same without installing anything outside .venv; what is missing is skipped
# make bench   measure enrollments as shares of this machine's raw signing rate, and answers to challenges of cards
# make fuzz    give mutated inputs to everything that reads other people's bytes, a minute each; make fuzz SECONDS=3600 TARGETS=pfx
# make growth  what lists, searches, looks of the worker and commands cost with 1,000 and very many rows; make growth SIZES=1000,10000
# make soak    kill, stop, freeze and fill a server while people enroll, and audit what it leaves; make soak SECONDS=600
# make docs    print the pages of docs/reference from the code

# Debian's own Python is faster than one that was built without profiles, as pyenv builds it; without its venv module it is of no use.
PYTHON ?= $(shell /usr/bin/python3.11 -c 'import ensurepip' 2>/dev/null && echo /usr/bin/python3.11 || command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
DATA ?= data
PORT ?=
PASSWORD_FILE ?=
# A worker that has nothing left takes over half of what the other still has before it.
PYTEST_OPTIONS ?= -n 2 --dist worksteal
SECONDS ?= 60
TARGETS ?=
SIZES ?=

.PHONY: run test check bench fuzz growth docs
.DEFAULT_GOAL := run

run: $(VENV)/.installed
	$(if $(filter command line,$(origin PASSWORD)),$(error PASSWORD= is seen by all in the list of processes: use PASSWORD_FILE=file, or the variable CERTWRIGHT_PASSWORD))
	@$(BIN)/certwright demo --data "$(DATA)" $(if $(PORT),--port "$(PORT)") $(if $(PASSWORD_FILE),--password-file "$(PASSWORD_FILE)")

test:
	@scripts/install-test-programs
	@$(MAKE) --no-print-directory check

check: $(VENV)/.installed-for-tests
	$(BIN)/ruff check src tests benchmarks fuzz scripts docs
	$(BIN)/ruff format --check src tests benchmarks fuzz scripts docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PYTEST_OPTIONS)

bench: $(VENV)/.installed-for-tests
	$(BIN)/python -m benchmarks.enrollments
	$(BIN)/python -m benchmarks.card_answers

fuzz: $(VENV)/.installed-for-fuzzing
	$(BIN)/python -m fuzz --seconds $(SECONDS) $(TARGETS)

growth: $(VENV)/.installed-for-tests
	$(BIN)/python -m benchmarks.growth $(if $(SIZES),--sizes "$(SIZES)")

soak: $(VENV)/.installed-for-tests
	$(BIN)/python -m benchmarks.soak --seconds $(SECONDS)

docs: $(VENV)/.installed-for-tests
	$(BIN)/python scripts/print_reference.py

$(VENV)/.installed: pyproject.toml scripts/make-venv
	@scripts/make-venv "$(PYTHON)" "$(VENV)" "."
	@touch $@

$(VENV)/.installed-for-tests: pyproject.toml scripts/make-venv
	@scripts/make-venv "$(PYTHON)" "$(VENV)" ".[test]"
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-for-fuzzing: pyproject.toml scripts/make-venv
	@scripts/make-venv "$(PYTHON)" "$(VENV)" ".[test,fuzz]"
	@touch $@ $(VENV)/.installed-for-tests $(VENV)/.installed
