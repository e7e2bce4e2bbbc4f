# The two commands of the README, and what developers need besides.
# Everything that is missing is installed or named by Scripts/setup; a second run of it costs nothing.

# Extra CMake flags for libllama go through SELFCD_CMAKE_FLAGS, for example:
#   make demo SELFCD_CMAKE_FLAGS=-DGGML_CUDA=ON
QUESTION ?= How can I shoot a time-lapse of the night sky?
SETUP := eval "$$(Scripts/setup --print-env)"
# What `selfcd --version` and run records name, the same for everything that one run of make builds.
export SELFCD_COMMIT := $(shell Scripts/commit)
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

.PHONY: demo test test-debug test-release build bench lint format docs examples example clean help

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

# Not optimized and without the server: it is there in less than half the time, and `make test` goes on from it.
demo: ## Set up, build, fetch a small chat model, and compare guarded, plain and Self-CD on it
	@$(SETUP) && SELFCD_WITHOUT_SERVER=1 swift build --product selfcd $$SELFCD_SWIFT_FLAGS >&2
	@Scripts/demo .build/debug/selfcd "$(QUESTION)"

build: ## Build the release binary, for real use
	$(SETUP) && swift build -c release --product selfcd $$SELFCD_SWIFT_FLAGS

test: test-debug test-release ## Set up, build and run all tests, without and with optimization

# The server's tests run in a process of their own, one after the other: their deadlines need threads that are free, and
# tests of the command line wait for processes.
test-debug: ## Run all tests in a debug build, which checks most at run time
	$(SETUP) && swift test --skip SelfCDServerTests $$SELFCD_SWIFT_FLAGS && \
	  swift test --skip-build --no-parallel --filter SelfCDServerTests $$SELFCD_SWIFT_FLAGS

# The command-line tests drive the binary that people run; the others need modules that let tests in, which changes
# only ours: the dependencies stay built.
test-release: build ## Run all tests in a release build, the command line with the binary of `make build`
	cp .build/release/selfcd .build/release/selfcd-under-test
	$(SETUP) && export SELFCD_TESTABLE=1 SELFCD_BINARY=$(CURDIR)/.build/release/selfcd-under-test && \
	  flags="-c release --disable-testable-imports $$SELFCD_SWIFT_FLAGS" && \
	  swift test $$flags --skip SelfCDServerTests && swift test $$flags --skip-build --no-parallel --filter SelfCDServerTests
	mv -f .build/release/selfcd-under-test .build/release/selfcd

bench: ## Measure against peers; needs Python and takes a while
	Benchmarks/run.sh

lint: ## Check the format of all Swift sources
	swift format lint --strict --recursive Sources Tests Models Examples Package.swift

format: ## Format all Swift sources
	swift format --in-place --recursive Sources Tests Models Examples Package.swift

docs: ## Build the documentation of both libraries into .docs
	mkdir -p .docs
	$(SETUP) && for target in SelfCD SelfCDLlama; do \
	  SELFCD_DOCS=1 swift package --allow-writing-to-directory .docs generate-documentation --target $$target \
	    --warnings-as-errors --output-path .docs/$$target; \
	done

examples: ## Show that the core builds alone, then build and run the examples
	Scripts/test-light-core --self-test
	Scripts/test-examples

example: examples

clean: ## Remove what was built here (libllama stays in its cache)
	rm -rf .build .docs Examples/.build Benchmarks/.build Benchmarks/.cache
