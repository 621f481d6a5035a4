# `make demo`, `make torch` and `make test` do all the set-up themselves.
.PHONY: setup setup-torch build torch demo test bench

# Tests write down here that they were skipped.
SKIPPED := $(CURDIR)/target/skipped_tests

setup:
	@scripts/setup.sh

setup-torch:
	@scripts/setup.sh --torch

build: setup
	cargo build --release --locked

# The same program with libtorch: trainings, the published networks, CUDA.
torch: setup-torch
	cargo build --release --locked --features torch --bin qbh-torch

demo: build
	./target/release/qbh demo

# Everything with libtorch, then what is left to qbh-torch, on the small program.
test: setup-torch
	@mkdir -p target && rm -f $(SKIPPED)
	@QBH_TEST_SKIPPED=$(SKIPPED) cargo test --release --workspace --features qbh/torch --locked --no-fail-fast; status=$$?; scripts/skipped_tests.sh $(SKIPPED); exit $$status
	cargo test --release --locked --test without_torch

bench: setup-torch
	cargo bench --workspace --features qbh/torch --locked
