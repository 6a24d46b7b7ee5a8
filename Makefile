# Everything runs on a fresh machine with Rust, make, and apt as root or with sudo: each target first
# installs the system packages that it needs and that are missing.

CARGO ?= cargo

.DEFAULT_GOAL := help
SECONDS ?= 10
CRASHES ?= 10000
SCRIPTS ?= 100000
CASES ?= 10000

.PHONY: help setup build demo test test-aarch64 lint bench bench-micro bench-core bench-crates bench-peers bench-trees \
        bench-bindings bench-scale at-scale bench-freezer crash damage scale faults differential properties \
        fuzz audit sanitize mutants coverage install install-strip uninstall

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the missing system packages for all of the targets
	@scripts/setup build test demo

build: ## Build the command and the libraries, optimised
	@scripts/setup build
	$(CARGO) build --release --all-features --locked

demo: ## Back up changing inputs at levels 0-3, restore and compare them (DEMO=short, KEEP=1)
	@scripts/setup build demo
	@DEMO='$(DEMO)' KEEP='$(KEEP)' scripts/demo

test: ## Run the library, integration and documentation tests, and those of the Python packages and the benchmarks
	@scripts/setup build test
	FRAZIL_REQUIRE_TOOLS=1 $(CARGO) test --all-features --locked
	@python3 scripts/test_benchmarks.py
	@scripts/test-python
	@scripts/test-freezer

test-aarch64: ## Run the library's own tests, but those of trees, compiled for AArch64 and emulated
	@scripts/setup build aarch64
	@scripts/test-aarch64

lint: ## Check the formatting, Clippy's lints, the documentation, and that the fuzz targets compile
	@scripts/setup build test
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --all-features --locked -- -D warnings
	$(CARGO) clippy --all-targets --no-default-features --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --all-features --locked
	$(CARGO) clippy --manifest-path fuzz/Cargo.toml --target-dir target/fuzz-check --locked -- -D warnings

BENCHES = bench-micro bench-core bench-crates bench-peers bench-trees bench-scale bench-bindings at-scale

bench: ## Run the benchmarks and write docs/benchmarks.md; 40 minutes, less with BENCH_MIB=64 BENCH_FILES=5000
	@scripts/setup build test peers
	@$(MAKE) --no-print-directory --keep-going --jobs=1 $(BENCHES)

bench-micro: ## Measure sums, matcher, patch, seal and the C interface in one process
	@scripts/setup build python
	@CARGO='$(CARGO)' scripts/bench-micro

bench-core: ## Measure signatures, levels and patches of BENCH_MIB=1024 MiB beside rdiff
	@scripts/setup build peers
	$(CARGO) build --release --features cli --locked
	@scripts/bench-core

bench-crates: ## Measure the same in one process beside the crates librsync and fast_rsync
	@scripts/setup build python
	cd benches/crates && $(CARGO) build --release --locked --target-dir ../../target/crates
	@scripts/bench-crates

bench-peers: ## Measure one file of BENCH_MIB=1024 MiB beside restic, borg, duplicity, rdiff-backup, xdelta3, rsync
	@scripts/setup build peers
	$(CARGO) build --release --features cli --locked
	@scripts/bench-peers

bench-trees: ## Measure a tree of BENCH_FILES=100000 small files beside its peers
	@scripts/setup build peers
	$(CARGO) build --release --features cli --locked
	@scripts/bench-trees

bench-bindings: ## Measure what a level costs through the bindings beside Rust
	@scripts/setup build test
	$(CARGO) build --release --lib --example pull_level --locked
	@scripts/bench-bindings

bench-scale: ## Measure streams of up to 64 times BENCH_MIB and trees of up to 10 times BENCH_FILES
	@scripts/setup build peers
	$(CARGO) build --release --features cli --locked
	@scripts/bench-scale

at-scale: ## Work out what a fleet of FLEET_TB=100 and FLEET_FILES=1000 million files costs, from what was measured
	@scripts/setup python
	@scripts/at-scale

bench-freezer: ## Measure Freezer's agent with frazil beside its own engines
	@scripts/setup build test
	@scripts/freezer-agent scripts/bench-freezer

crash: ## Kill CRASHES=10000 runs, lose the power as often, and see what is left each time
	@scripts/setup build test
	FRAZIL_REQUIRE_TOOLS=1 FRAZIL_CRASHES='$(CRASHES)' FRAZIL_POWER_LOSSES='$(CRASHES)' $(CARGO) test --all-features --locked \
	    --test file_crash --test power_loss --test tree_crash -- --nocapture

damage: ## Flip every bit of each kind of stream, and damage it in every other way; takes minutes
	@scripts/setup build test
	FRAZIL_REQUIRE_TOOLS=1 FRAZIL_THOROUGH=1 $(CARGO) test --all-features --locked \
	    --test damage --test damage_matrix --test tree_damage -- --nocapture

differential: ## Hold frazil against two librsyncs, both ways, by SCRIPTS=100000 random edit scripts
	@scripts/setup build test
	FRAZIL_REQUIRE_TOOLS=1 FRAZIL_SCRIPTS='$(SCRIPTS)' $(CARGO) test --all-features --locked --test differential -- --nocapture

properties: ## Try the laws of adapters, chains and trees on CASES=10000 cases each, less where one takes long
	@scripts/setup build test
	FRAZIL_REQUIRE_TOOLS=1 PROPTEST_CASES='$(CASES)' $(CARGO) test --all-features --locked --test properties -- --nocapture

scale: ## Index 16 million blocks, and give librsync more than 2 GiB at once: tests that take more room than `make test`
	@scripts/setup build test
	$(CARGO) test --all-features --locked --lib engine::librsync -- --ignored
	$(CARGO) test --all-features --locked --test scale -- --ignored --nocapture

faults: ## Fail every call and every allocation in turn, and count what came of it
	@scripts/setup build test
	FRAZIL_REQUIRE_TOOLS=1 FRAZIL_FAULTS=all $(CARGO) test --all-features --locked --test fault_calls --test fault_sweep --test out_of_memory \
	    -- --nocapture --test-threads=1

fuzz: ## Fuzz each target for SECONDS=10 seconds; installs cargo-fuzz where it is missing
	@scripts/setup build
	@scripts/fuzz '$(SECONDS)'

# PREFIX, DESTDIR, LIBDIR and so on reach packaging/install by its environment; with BUILT nothing is built.
install: $(if $(BUILT),,build) ## Install the command and the libraries under PREFIX=/usr/local (DESTDIR=)
	@packaging/install

install-strip: $(if $(BUILT),,build) ## Install without what debuggers read
	@packaging/install --strip

uninstall: ## Remove what `make install` with the same variables has installed
	@packaging/install --uninstall

audit: ## Check licences and advisories of dependencies, the oldest compiler and dependencies, and the Rust interface
	@scripts/setup build
	@scripts/audit

sanitize: ## Run tests of the Rust side under AddressSanitizer, ThreadSanitizer and Valgrind
	@scripts/setup build test sanitize
	@scripts/sanitize

mutants: ## Change the code of formats, patches and levels and see whether tests notice; hours (MUTANTS='--shard 1/20')
	@scripts/setup build test
	@command -v cargo-mutants >/dev/null || $(CARGO) install cargo-mutants --version '^27' --locked
	$(CARGO) mutants $(MUTANTS)

coverage: ## Print which share of lines the tests of streams run; of formats, patches and levels it is 95 % at least
	@scripts/setup build test coverage
	@scripts/coverage
