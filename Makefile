# Two commands on a fresh machine: `make run` and `make test`. `make help` tells the rest.
SHELL := bash
.DEFAULT_GOAL := help
# A toolchain that scripts/prerequisites.sh has just installed is not on the PATH of this shell yet.
export PATH := $(HOME)/.cargo/bin:$(PATH)

PLATFORM := $(or $(CARGO_TARGET_DIR),target)/release/platform
# `make run DOCKER=1` and `make stop DOCKER=1` take docker-compose.yml instead of native processes.
DOCKER ?=

# `make chaos`: how long, how many orders a second, how often each kind of kill is measured; a SEED gives the same faults again.
SECONDS := 600
RATE := 5
RECOVERIES := 3
SEED ?=
JSON ?=

# `make bench`: QUICK=1 for a shorter one, where results go, and further arguments.
QUICK ?=
OUT := target/bench
ARGS ?=

# `make scale`: with how many instances of everything, one after the other.
INSTANCES := 1 2 3

.PHONY: help compile binaries images run stop status logs test chaos bench scale defects lint clean distclean prerequisites

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Settings: PORT_OFFSET, PLATFORM_DIR, INSTANCES_ORDER_SERVICE=2, LOG=debug, DOCKER=1; README has them all."

compile: binaries images ## Build all programs, and container images where a Docker daemon answers

run: ## Build, start what is not running, restart what changed, load demo data
ifeq ($(DOCKER),)
	@$(MAKE) --no-print-directory binaries
	@$(PLATFORM) up
else
	@scripts/compose.sh up
endif

stop: ## Stop everything; the data stays
ifeq ($(DOCKER),)
	@if [ -x $(PLATFORM) ]; then $(PLATFORM) down; else echo "nothing was built, so nothing runs"; fi
else
	@scripts/compose.sh stop
endif

status: ## Tell what runs, where, and whether it is ready
	@$(PLATFORM) status

logs: ## Follow the logs; NAME=order-service follows one
	@$(PLATFORM) logs $(NAME)

test: ## Everything that must pass, on its own ports and folders
	@scripts/test.sh

chaos: binaries ## Kill, pause and restart everything under load, then audit; SECONDS=600 RATE=5 RECOVERIES=3 SEED=… JSON=file
	@INSTANCES_MESSAGE_RELAY=2 INSTANCES_ORDER_SERVICE=2 $(PLATFORM) test-platform -- $(dir $(PLATFORM))chaos \
		--seconds $(SECONDS) --rate $(RATE) --recoveries $(RECOVERIES) $(if $(SEED),--seed $(SEED)) $(if $(JSON),--json $(JSON))

bench: binaries ## Measure everything against the limits of this machine, about an hour; QUICK=1 ARGS='--only unloaded,top' OUT=folder
	@$(PLATFORM) test-platform -- $(dir $(PLATFORM))bench $(if $(QUICK),--quick) \
		--json $(OUT)/bench.json --markdown $(OUT)/results.md --svg $(OUT) $(ARGS)

scale: RATE := 60
scale: SECONDS := 40
scale: binaries ## The same load on 1, 2 and 3 instances of everything, and killing one of each; RATE=60 SECONDS=40 INSTANCES='1 2 3' OUT=folder
	@INSTANCES='$(INSTANCES)' scripts/scale.sh $(PLATFORM) $(OUT) --rate $(RATE) --seconds $(SECONDS)

defects: prerequisites ## Put each seeded defect into a copy of the tree: the simulation, chaos or a flow script must catch it; NAME=double-charge
	@tests/defects/run.sh $(NAME)

lint: ## Formatting and clippy only
	@scripts/prerequisites.sh --lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

clean: ## Stop, and remove data, logs and passwords
ifeq ($(DOCKER),)
	@if [ -x $(PLATFORM) ]; then $(PLATFORM) clean; fi
else
	@scripts/compose.sh clean
endif

distclean: clean ## Remove the downloaded servers and everything that was built, too
	rm -rf .platform
	cargo clean

binaries: prerequisites
	cargo build --release --bins

images:
	@scripts/compose.sh build

prerequisites:
	@scripts/prerequisites.sh
