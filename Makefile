# `make demo` and `make test` do all the set-up themselves.
.PHONY: setup build demo test bench

setup:
	@scripts/setup.sh

build: setup
	cargo build --release

demo: build
	./target/release/qbh demo

test: setup
	cargo test --release --workspace

bench: setup
	cargo bench
