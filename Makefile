# make install   .venv with everything the two commands below need, and the engines compiled
# make demo      a small language model teaches itself poker: verdicts and a report page
# make test      the whole test suite
# make guests    the peers' job: other libraries' own conformance tests on our games, Axelrod's moves, a served export
# make bench     the peers' environment, all paired timings, and the table in docs/benchmarks.md
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: install demo test lint guests bench clean

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@echo "Installing into .venv: some 1.5 GB, a few minutes the first time."
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo "Compiling the engines, some seconds."
	$(BIN)/python -m ludus.compile
	touch $@

demo: install
	$(BIN)/ludus run spiral --set games=kuhn_poker

test: install
	$(BIN)/python -m pytest --numprocesses 2

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

guests: install .venv-peers/installed
	PYTHONPATH=src OMP_NUM_THREADS=1 .venv-peers/bin/python -m pytest tests/adapters tests/models/test_export.py tests/study/test_cluster.py
	PYTHONPATH=src OMP_NUM_THREADS=1 .venv-peers/bin/python tests/iterated/oracle_axelrod.py
	PYTHONPATH=src OMP_NUM_THREADS=1 .venv-peers/bin/python tests/models/serve_check.py

bench: install .venv-peers/installed .venv-peers-liteefg/installed
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/all.py

.venv-peers/installed: benchmarks/peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt
	touch $@

# LiteEFG pins an old JAX and builds from source with cmake; where it cannot be had, its rows say "not run".
.venv-peers-liteefg/installed: benchmarks/peers-liteefg.txt
	$(PYTHON) -m venv .venv-peers-liteefg
	-.venv-peers-liteefg/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers-liteefg.txt
	touch $@

clean:
	rm -rf .venv .venv-peers .venv-peers-liteefg
