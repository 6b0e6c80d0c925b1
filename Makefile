# `make demo` and `make test` need Python 3.11 or newer, make and g++: everything else is set up.
PYTHON ?= python3
BIN := .venv/bin
DEMO := build/demo

export ORT_DISABLE_TELEMETRY := 1

.PHONY: help setup demo test lint bench lock clean

help:
	@echo "make demo    compile the digits model to a verified bitstream, and read digits on the simulated board"
	@echo "make test    linters and all tests"
	@echo "make bench   the benchmarks, with this machine's figures"
	@echo "make lock    resolve the locked versions anew"
	@echo "make clean   remove what was built (the environment stays)"

setup:
	@$(PYTHON) tools/setup.py

demo: setup
	$(BIN)/brainsmith compile examples/digits/digits.onnx --target ulx3s-85f --clock-mhz 100 --target-fps 200000 \
	  --verify-input examples/digits/images.npy --verify-output examples/digits/labels.npy \
	  --output $(DEMO)
	$(BIN)/brainsmith run $(DEMO) --simulate --input examples/digits/images.npy

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

test: lint
	$(BIN)/python -m pytest -n 2

bench: setup
	$(BIN)/python -m benchmarks

lock:
	uv pip compile pyproject.toml --extra fpga --extra pdk --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --no-config \
	  --output-file requirements/lock.txt

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
