# make run: set up and open the app. make test: set up (a browser included) and run the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q

.PHONY: run test lint system browser clean
run: system $(VENV)/run.stamp
	$(BIN)/python app.py --open

test: system $(VENV)/test.stamp browser
	$(BIN)/python -m ruff check .
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/test.stamp
	$(BIN)/python -m ruff check .

system:
	@sh tools/system.sh

browser: $(VENV)/test.stamp
	@sh tools/system.sh browser

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pneumo needs Python 3.11 or newer; name one with: make run PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/python
	@echo "Installing what Pneumo needs; torch makes this several minutes the first time."
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/test.stamp: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	@echo "Installing what the tests need; torch makes this several minutes the first time."
	$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

clean:
	rm -rf $(VENV) build .pytest_cache .ruff_cache
