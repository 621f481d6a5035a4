# `make demo` and `make test` do all the set-up themselves.
.PHONY: setup build demo test bench

# Tests write down here that they were skipped.
SKIPPED := $(CURDIR)/target/skipped_tests

setup:
	@scripts/setup.sh

build: setup
	cargo build --release --locked

demo: build
	./target/release/qbh demo

test: setup
	@mkdir -p target && rm -f $(SKIPPED)
	@QBH_TEST_SKIPPED=$(SKIPPED) cargo test --release --workspace --locked --no-fail-fast; status=$$?; scripts/skipped_tests.sh $(SKIPPED); exit $$status

bench: setup
	cargo bench --locked
