# Two commands do everything: make run, make test. Each does its own set-up.
PYTHON ?= python3
VENV = .venv/bin/python
# What lint, tests and docs need of the settings; they never read this machine's .env.
HERMETIC = DJAMON_ENV_FILE= SECRET_KEY=not-a-secret DATABASE_URL=sqlite://:memory:
ifdef PORT
export PORT
endif

.PHONY: run test lint docs bench faults lock setup setup-dev
.DEFAULT_GOAL = run

run: setup
	@$(VENV) manage.py prepare
	@exec $(VENV) manage.py up

# Three at a time: many tests wait for a process or a clock. Those of a file go together: they share installations.
TWO_CORES = -n 3 --dist loadfile --no-loadscope-reorder
test: setup-dev
	@env -u TEST_DATABASE_URL $(VENV) -m pytest $(TWO_CORES)
	@if [ -n "$$TEST_DATABASE_URL" ]; then echo "The same on TEST_DATABASE_URL:"; $(VENV) -m pytest $(TWO_CORES); fi

# Faults in full: real durations, a thousand runs of each driver, a kill at every step. Some hours, mostly waiting.
FAULTS_RUNS ?= 1000
FAULTS_SEED ?= 7
FAULTS_EVERY ?= 1
faults: setup-dev
	@TEST_FAULTS_FULL=1 $(VENV) -m pytest tests/faults
	@$(VENV) -m tests.faults.sweeps --faults sites --runs $(FAULTS_RUNS) --seed $(FAULTS_SEED)
	@$(VENV) -m tests.faults.sweeps --faults ours --runs $(FAULTS_RUNS) --seed $(FAULTS_SEED)
	@$(VENV) -m tests.faults.channels --runs $(FAULTS_RUNS) --seed $(FAULTS_SEED)
	@$(VENV) -m tests.faults.kills --of probe --every $(FAULTS_EVERY)
	@$(VENV) -m tests.faults.kills --of send --every $(FAULTS_EVERY)

lint: setup-dev
	@$(VENV) -m ruff format --check .
	@$(VENV) -m ruff check .
	@$(HERMETIC) $(VENV) -m mypy .
	@$(HERMETIC) $(VENV) -c "from importlinter.cli import lint_imports_command as lint; lint()"
	@$(HERMETIC) $(VENV) manage.py makemigrations --check --dry-run
	@$(HERMETIC) $(VENV) scripts/vendor_static.py --check

docs: setup-dev
	@$(HERMETIC) $(VENV) -m sphinx -W -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

# All of it takes about 90 minutes on two cores that do nothing else; QUICK=1 only tries the programs.
bench: setup-dev
	@$(VENV) -m benchmarks $(if $(QUICK),--quick)

# The pictures of README and docs, from a running instance, by Chromium.
pictures: setup-dev
	@$(HERMETIC) $(VENV) -m scripts.pictures

lock: setup-dev
	@$(VENV) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes requirements.in -o requirements.txt --custom-compile-command "make lock"
	@$(VENV) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes requirements-dev.in -o requirements-dev.txt --custom-compile-command "make lock"

setup:
	@$(PYTHON) scripts/bootstrap.py requirements.txt .env

setup-dev:
	@$(PYTHON) scripts/bootstrap.py requirements-dev.txt
