# Every target sets up what it needs. `make` alone lists them.

VENV := .venv
BIN := $(VENV)/bin
# The system's Python, which is what hosts have, before another one of the PATH; it has to be able to make a venv.
PYTHON = $(shell for one in /usr/bin/python3 python3; do \
	$$one -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done)
HOSTS ?= 3
FEED ?= simulated
# Tests and scenarios wait for half of their time: on two cores four tests of the code and two scenarios run at once.
WORKERS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))
JOBS ?= 3
# What the console runs in the browser: npm's packages, and the bundle, which is in the tree, so that hosts and controllers
# do without Node.
PACKAGES := console/node_modules/.package-lock.json
CONSOLE := toolkit/console/static/console.js
# What takes longest begins first, so that no core is left with nothing at the end.
LONGEST := default fleet monitoring cron containers lost-host settings postgresql
SCENARIOS := $(LONGEST) $(filter-out $(LONGEST),$(patsubst molecule/%/molecule.yml,%,$(wildcard molecule/*/molecule.yml)))
# ansible and molecule call one another by name
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Tests start thousands of processes: not one of them should compile what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.ready ## .venv with weather-tool, ansible-playbook and all that tests need

$(VENV)/.ready: requirements/dev.txt requirements/uv.txt pyproject.toml
	@test "$(PYTHON)" || python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python3 is older than 3.11: install a newer one")'
	@test "$(PYTHON)" || tools/need.sh python3-venv
	@echo "setting up $(VENV)"
	@test -x $(BIN)/python || $(or $(PYTHON),python3) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: setup ## Three real hosts, the service on them, a broken sensor found (HOSTS=3, FEED=simulated or replay)
	@$(BIN)/python -m lab.demo --hosts $(HOSTS) --feed $(FEED)

.PHONY: lab
lab: setup ## Throw-away systemd hosts (HOSTS=3), for ansible-playbook -i inventory/lab
	@lab/lab.sh up $(HOSTS)
	@lab/lab.sh list

.PHONY: lab-image
lab-image: setup
	@DEBIAN="bookworm trixie" LAB_EARLIER=yes lab/lab.sh image </dev/null
	@sed -n 's/^ *LAB_PACKAGES: //p' molecule/*/molecule.yml | sort -u | while read -r packages; do \
		LAB_PACKAGES=$$packages LAB_EARLIER=yes lab/lab.sh image </dev/null || exit; done

.PHONY: test
test: setup ## Every test: linters, documents, units, integration, chaos, the roles on real systemd hosts
	@$(MAKE) --no-print-directory needs
	@# All else side by side, what takes longest first: the tests of the code have a core left for as long as the lab's
	@# images are made, for which the scenarios wait. What is needed is there: make would begin what waits for it last.
	@$(BIN)/python -m tools.failures $(MAKE) --no-print-directory --jobs $(JOBS) --output-sync --assume-old=needs \
		IMAGES=lab-image test-code lab-image lint-roles docs lint-code test-hosts

.PHONY: test-code
test-code: setup needs ## Of the tests those of the code: units, integration, chaos, documents, a newcomer's first hour
	pytest -n $(WORKERS) --dist loadfile

# Each in a lab of its own, with an image that it makes unless told (IMAGES) what makes all of them. Of a scenario that
# runs beside others all is printed when it has ended.
.PHONY: test-hosts $(SCENARIOS:%=test-%)
test-hosts: $(SCENARIOS:%=test-%) ## Of the tests those of the roles, on real systemd hosts (test-default, test-fleet, …)
$(SCENARIOS:%=test-%): test-%: setup $(IMAGES)
	molecule test -s $* </dev/null

.venv/policy/.ready: requirements/policy.txt $(VENV)/.ready
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/policy
	@$(BIN)/uv pip sync --quiet --python .venv/policy/bin/python --require-hashes requirements/policy.txt
	@touch $@

.PHONY: needs
needs: .venv/policy/.ready $(PACKAGES)
	@tools/need.sh chromium chromium-headless-shell faketime firefox-esr mosquitto openssl postgresql restic

.PHONY: fleet
fleet: setup ## The fleet scenario in its long form: six hosts, more ways to fail
	FLEET=long FLEET_HOSTS=6 molecule test -s fleet

.PHONY: faults
faults: setup ## The faults scenario in its long form: every fault of tests/chaos/faults.yml
	FAULTS=all molecule test -s faults

.PHONY: chaos
chaos: setup needs ## The chaos tests in their long form: 200 kills on each engine, ten times the mutated documents and answers, 10,000 requests
	CHAOS_KILLS=200 FUZZ_TIMES=10 pytest tests/chaos
	API_FUZZ=700 pytest tests/integration/test_api.py -k fuzzed

.PHONY: bench
bench: setup needs ## Speed, memory and size, against their bounds and a reference
	python -m tests.bench

.PHONY: bench-detection
bench-detection: setup ## How right the detector is, beside the guide's method and peers; NETWORKS=FOLDER: on real networks
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/bench.txt
	python -m tests.bench.detection$(if $(NETWORKS),.real $(NETWORKS))
	python -m tests.bench.detection.other_variables $(NETWORKS)
	$(if $(NETWORKS),python -m tests.bench.detection.health $(NETWORKS) --months 1)

.PHONY: bench-fleet
bench-fleet: setup ## How long fleets of 3 and of 10 hosts take to deploy and to upgrade, beside a known role
	python -m tests.bench.fleet

.PHONY: lint lint-code lint-roles
lint: lint-code lint-roles ## ruff, mypy, import-linter, ansible-lint, yamllint, shellcheck
lint-code: setup $(PACKAGES)
	@# Node makes its standard input non-blocking, also for those that have it from the same make; Ansible refuses that.
	npm run --silent --prefix console lint </dev/null
	ruff check
	ruff format --check
	mypy
	lint-imports --no-logo
	yamllint --strict .
	shellcheck $$(git ls-files '*.sh' .ci/run roles/weather/files/weather-job)

lint-roles: setup
	python -m tools.lint_roles </dev/null

.PHONY: docs
docs: setup ## The site of documents, in dist/site; a broken link is an error
	sphinx-build --quiet --fail-on-warning --keep-going --builder html --conf-dir docs . dist/site

.PHONY: release
release: setup ## What is published, in dist/release: sdist, wheel, wheelhouse, image, SBOM, checksums
	@tools/need.sh git podman
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/release.txt
	python -m tools.release

.PHONY: console
console: $(CONSOLE) ## What the console runs in the browser, from console/
$(CONSOLE): $(shell git ls-files console 2>/dev/null) tools/console.py $(PACKAGES) $(VENV)/.ready
	python -m tools.console
	@touch $@

$(PACKAGES): console/package-lock.json
	@command -v npm >/dev/null || tools/need.sh nodejs npm
	@npm ci --prefix console --silent </dev/null
	@touch $@

.PHONY: words
words: setup ## Bring the console's translations up to date with its messages
	python -m tools.console --words

.PHONY: generate
generate: setup ## Write anew what derives from settings and checks
	python -m tools.generate

.PHONY: clean
clean: ## Take away the lab, its images, and everything else that was made here
	@python3 -m lab.feed stop --all
	@lab/lab.sh clean
	rm -rf console/node_modules $(VENV) dist .cache .ansible .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: lock
lock: setup ## Choose the newest versions of all dependencies anew
	uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --extra distributed pyproject.toml -o requirements/hosts.txt
	uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --group dev --extra distributed -c requirements/hosts.txt pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --group bench -c requirements/dev.txt -o requirements/bench.txt
	uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --group policy -o requirements/policy.txt
	uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --group release -c requirements/dev.txt -o requirements/release.txt
	npm update --prefix console --save --silent
	grep -A 100 '^uv==' requirements/dev.txt | awk 'NR == 1 || /^ /; NR > 1 && !/^ / {exit}' > requirements/uv.txt
