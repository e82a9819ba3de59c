# Two commands on a fresh machine: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
SIZES ?= M national
JOBS ?= auto
# The caller's own pip configuration says where packages come from; the lock files name no host.
PIP := $(BIN)/pip --disable-pip-version-check -qq

.PHONY: help demo test tools check format bench load lock schema clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / \t/' | expand -t 12

demo: .venv/.ready  ## a demo with real offices on http://127.0.0.1:8000/graphql (ARGS="--now … --departement 75")
	$(BIN)/rdv demo $(ARGS)

test: .venv/.ready .venv/codegen/.ready  ## every test, each against real parts, on all cores (ARGS="-k slots", JOBS=0 for one process)
	$(BIN)/pytest -n $(JOBS) --dist loadscope $(ARGS)

tools: .venv/codegen/.ready  ## node, Chromium, PgBouncer, nginx, wrk, h2load, npm packages, the generator of clients: for `make load`, and tests left out otherwise
	.ci/tools

check: .venv/.ready  ## formatting, lint, types, import contracts, committed schema and what it breaks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/rdv export-schema --check
	$(BIN)/rdv schema-diff docs/released.graphql --changelog CHANGELOG.md

format: .venv/.ready  ## rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.ready  ## the table of benchmarks, answers checked
	$(BIN)/python -m benchmarks $(ARGS)

load: .venv/.ready  ## load on served offices, open loop: 1, 2, 4 workers (SIZES="M national"; first `make tools`)
	for size in $(SIZES); do $(BIN)/rdv bench load --size $$size --out benchmarks/report/load-$$size $(ARGS) || exit 1; done

schema: .venv/.ready  ## rewrite the committed schema
	$(BIN)/rdv export-schema

lock: .venv/.ready  ## rewrite the lock files after a change of pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra otel --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet -o requirements.lock
	$(BIN)/uv pip compile --group codegen --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet -o codegen.lock

clean:  ## forget the environment and the demo's data
	rm -rf .venv .rdv

# The lock is complete, so pip has nothing to resolve (--no-deps; old versions of it stumble over extras otherwise). The
# build backend is in it too, so installing the project itself fetches nothing unpinned.
.venv/.ready: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

# The generator of Python clients does not get along with our graphql-core, so it has an environment beside ours.
.venv/codegen/.ready: codegen.lock | .venv/.ready
	test -x .venv/codegen/bin/python || $(PYTHON) -m venv .venv/codegen
	.venv/codegen/bin/pip --disable-pip-version-check -qq install --no-deps --require-hashes -r codegen.lock
	touch $@
