# make run: set up and open the app.  make test: set up, check and test everything.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test
run: .venv/run.stamp
	$(BIN)/python app.py --open

test: .venv/test.stamp
	@sh tools/browser.sh
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/lint-imports && $(BIN)/mypy && $(BIN)/vulture
	$(BIN)/python -m pytest $(ARGS)

.venv/%.stamp: requirements.txt requirements-cpu.txt requirements-train.txt requirements-dev.txt pyproject.toml
	sh tools/install.sh $* $(PYTHON)
	@touch $@
