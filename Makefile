# hcx-waves: `make test` sets everything up and passes all tests; `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SCENARIO ?= seed
SPEED ?= 60
# As in include/hcx_demo/wave/faults.py; a test compares them.
DEMO_FAULTS := failing-switchover, stuck-switchover, unextend-fails, tunnel-down, destination-full, slow-link, vcenter-flaps

.PHONY: help setup test attacks faults nights check format demo rehearse sim bench coverage contract house lock clean

help: ## List the targets.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12
	@echo; echo "FAULTS of make demo, with commas: $(DEMO_FAULTS)."; echo "FAULTS of make rehearse: these and rotate."

setup: $(STAMP) ## Create the virtual environment with the locked packages.

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' || { \
	  echo "hcx-waves needs Python 3.11 or 3.12; choose one with PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "python3 cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

test: setup ## Run all tests (some minutes on two cores).
	$(BIN)/python -m pytest -n auto --dist loadfile

nights: setup ## Hold the reports of 300 random bad nights against what really happened (NIGHTS=300).
	HCX_WAVES_BAD_NIGHTS=$(or $(NIGHTS),300) $(BIN)/python -m pytest -n auto tests/airflow/test_true_reports.py

faults: setup ## Let every call fail in every way and kill every task; writes docs/faults.md (an hour; CELL=part of a name, BREAK=name).
	PYTHONPATH=include:plugins:tests $(BIN)/python -m support.fault_matrix --write \
	  $(if $(CELL),--cell "$(CELL)" --verbose) $(if $(BREAK),--break "$(BREAK)")

attacks: setup ## Attack a real Airflow by its REST API, with both auth managers (40 minutes).
	$(BIN)/python -m pytest -m attacks -n 0 tests/airflow/attacks

check: setup ## Lint, types and import rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hcx-sim coverage --check
	docker/check "$$($(BIN)/python -c 'import compose, pathlib; print(pathlib.Path(compose.__file__).with_name("docker-compose"))')"

format: setup ## Format the code.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: setup ## Run a wave on simulated sites with a real Airflow (AUTO=1 PORT=8080 SPEED=20 STATE=folder TIMES=1 SCENARIO=seed|three-tier FAULTS=name,...).
	@exec $(BIN)/python -m hcx_demo demo $(if $(filter-out 0,$(AUTO)),--auto) $(if $(PORT),--port $(PORT)) \
	  $(if $(findstring command line,$(origin SPEED)),--speed $(SPEED)) \
	  $(if $(findstring command line,$(origin SCENARIO)),--scenario $(SCENARIO)) \
	  $(if $(FAULTS),--faults "$(FAULTS)") \
	  $(if $(STATE),--state "$(STATE)") $(if $(TIMES),--times $(TIMES))

rehearse: setup ## Rehearse a wave on twins for many nights (WAVE=three-tier-1 NIGHTS=30 FROM=date FAULTS=rotate AUTO=1 PORT= STATE=).
	@exec $(BIN)/python -m hcx_demo rehearse $(if $(WAVE),--wave "$(WAVE)") $(if $(NIGHTS),--nights $(NIGHTS)) \
	  $(if $(FROM),--from $(FROM)) $(if $(FAULTS),--faults "$(FAULTS)") $(if $(ACTIVE),--active $(ACTIVE)) \
	  $(if $(filter-out 0,$(AUTO)),--auto) $(if $(PORT),--port $(PORT)) $(if $(STATE),--state "$(STATE)")

sim: setup ## Serve the simulated site pair (SCENARIO=seed SPEED=60) until Ctrl-C.
	$(BIN)/hcx-sim serve --scenario $(SCENARIO) --speed $(SPEED)

bench: setup ## Measure sizes and speeds; prints the tables that docs/measurements.md quotes.
	$(BIN)/python -m pytest -m bench -s -p no:xdist --timeout 900 tests/bench

coverage: setup ## Write include/hcx_sim/COVERAGE.md from the route tables.
	$(BIN)/hcx-sim coverage

contract: setup ## Write include/hcx_waves/probe/contract.json from the contract samples.
	PYTHONPATH=include:plugins:tests $(BIN)/python -m support.probe_contract

house: setup ## Measure the source: circles, journeys, names, sizes; tests/house holds what can be held.
	PYTHONPATH=include:plugins:tests $(BIN)/python -m house.measures

lock: ## Write requirements.lock anew from requirements.txt.
	rm -rf $(VENV).lock && $(PYTHON) -m venv $(VENV).lock
	$(VENV).lock/bin/python -m pip install --quiet --requirement requirements.txt
	{ sed -n 1,2p requirements.lock; $(VENV).lock/bin/python -m pip freeze --all | grep -v '^pip=='; } > requirements.lock.new
	mv requirements.lock.new requirements.lock && rm -rf $(VENV).lock

clean: ## Remove the virtual environment and caches.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info
