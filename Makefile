# Two commands: make demo, make test. Everything else is for those who change the code.
# On given servers: make test DATABASE_URL=postgresql://… REDIS_URL=redis://…
export DATABASE_URL REDIS_URL
# Where the environment forbids bytecode beside its source (containers do), a program of ours took six seconds to start: now three.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --no-header -q

.PHONY: help install demo test test-browser screenshots test-spark test-tls test-alerts check audit faults bench soak lock docs
help:
	@echo "make demo     simulate a retailer, load and resolve it, report, leave the service up (EXIT=1: stop after the report; STORY=1: one customer's life)"
	@echo "make test     the whole test suite on real PostgreSQL and Valkey"
	@echo "make test-browser  the pages in a headless Chromium (as root installs Debian's; CHROMIUM=/path takes another)"
	@echo "make screenshots   every page of the console, light and dark, into docs/images"
	@echo "make test-spark  the same pairs, levels, weights, decisions and customers on Spark (installs pyspark; needs Java 17 or newer)"
	@echo "make test-tls  the whole service on servers that speak TLS alone (Debian's postgresql, and its redis-server or valkey-server)"
	@echo "make test-alerts  the alerts by Prometheus' own promtool (fetches Debian's; PROMTOOL=/path takes another)"
	@echo "make check    ruff, mypy --strict, import contracts, architecture smells"
	@echo "make audit    bandit and pip-audit; fails on what docs/security.md does not explain (needs the index's list of weaknesses)"
	@echo "make faults   apply each kept fault and expect a test to die"
	@echo "make bench    measured ratios, as a table and JSON"
	@echo "make soak     long random runs: orders (also 20,000 records), both engines, storms of writes, golden ids, consent, killed processes, the fault table, properties (PART=kills SEED=7 MINUTES=10; goes on where it stopped)"
	@echo "make install  only the environment; make lock: renew the hashed lock; make docs: generated pages"

install:
	@PYTHON="$(PYTHON)" sh scripts/install.sh

demo: install
	@$(BIN)/mdm demo $(if $(EXIT),--exit) $(if $(STORY),--story)

test: install
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q

test-browser: install
	@CHROMIUM="$(CHROMIUM)" sh scripts/install_browser.sh
	@$(BIN)/python -m pytest -q tests/browser

screenshots: install
	@CHROMIUM="$(CHROMIUM)" sh scripts/install_browser.sh
	@CHROMIUM="$(CHROMIUM)" $(BIN)/python -m scripts.screenshots

test-spark: install
	@sh scripts/test_spark.sh

test-tls: install
	@$(BIN)/python -m pytest -q tests/servers

test-alerts:
	@PROMTOOL="$(PROMTOOL)" sh scripts/test_alerts.sh

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/architecture

audit: install
	@sh scripts/audit.sh

faults: install
	@PYTHONPYCACHEPREFIX= $(BIN)/python scripts/faults.py # The bytecode of its copy goes with the copy.

bench: install
	@$(BIN)/python -m bench.run

soak: install
	@$(BIN)/python -m soak.run $(if $(PART),--part $(PART)) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

docs: install
	@$(BIN)/python scripts/canonical_model.py

lock:
	@$(LOCK) --extra embedded --extra demo --extra tracing --extra dev pyproject.toml -o requirements/dev.txt
	@$(LOCK) --extra embedded --extra tracing -c requirements/dev.txt pyproject.toml -o requirements/runtime.txt
	@$(LOCK) --group audit -o requirements/audit.txt
	@$(LOCK) --group browser -c requirements/dev.txt -o requirements/browser.txt
	@$(LOCK) --extra spark --constraints requirements/dev.txt pyproject.toml -o requirements/spark.txt
	@echo 'uv>=0.13,<0.14' | $(LOCK) - -o requirements/uv.txt
	@echo 'setuptools>=77' | $(LOCK) -c requirements/dev.txt - -o requirements/build.txt
