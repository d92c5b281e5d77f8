# Croquis. The two commands for a new user: `make pose` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3.11
PY := .venv/bin/python
REAL_BLENDER ?= $(wildcard ../shared/real-blender/real-blender)
POSES ?= $(wildcard ../shared/data/poses)

# `make pose` takes these; they reach its recipe as environment variables, so that spaces, quotes
# and parentheses in file names need no escaping.
SKETCH ?= examples/gesture_run.png
RIG ?=
OUT ?= out/pose
export SKETCH RIG OUT

# What the bpy wheel needs from the system, as Debian and Ubuntu name it.
SYSTEM_LIBRARIES := libgl1 libsm6 libx11-6 libxfixes3 libxi6 libxkbcommon0 libxrender1

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The checker is pinned; it need not ask whether there is a newer one.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help env pose test test-real lint format benchmark benchmark-pose screenshots zip clean system-libraries

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-18s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: .venv/.dev .venv-types/.ready ## Make .venv and .venv-types (the other targets do it as they need)

pose: .venv/.run ## Pose a rig from a drawing: [SKETCH=FILE] [RIG=FILE] [OUT=FOLDER]
	@mkdir -p "$$OUT"
	@$(PY) scripts/pose_from_sketch.py "$$SKETCH" $${RIG:+--rig "$$RIG"} \
		--out "$$OUT/posed.blend" --preview "$$OUT/posed.png"

test: .venv/.dev ## Run the tests that need no Blender but the bpy wheel
	$(PY) -m pytest -q tests/unit tests/trainer
	$(PY) -m pytest -q tests/blender

test-real: .venv/.dev ## Build the zip, install it in a real Blender, test it there and click its button
	@[ -n "$(REAL_BLENDER)" ] || { echo "Set REAL_BLENDER to a Blender 4.3 or newer." >&2; exit 2; }
	REAL_BLENDER="$(REAL_BLENDER)" $(PY) -m pytest -q -rP tests/gui

lint: .venv/.dev .venv-types/.ready ## Check style and types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv-types/bin/pyright

format: .venv/.dev ## Let ruff put the style right
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

benchmark: .venv/.dev ## Measure rendering, posing and training speed
	$(PY) scripts/benchmark.py

benchmark-pose: .venv/.run ## Measure lifting and posing on motion capture: [POSES=FOLDER]
	@[ -n "$(POSES)" ] || { echo "Set POSES to the folder with the motion capture." >&2; exit 2; }
	$(PY) scripts/benchmark_pose.py --poses "$(POSES)"

screenshots: .venv/.dev ## Take the pictures of docs/ in a real window
	REAL_BLENDER="$(REAL_BLENDER)" $(PY) scripts/draw_screenshots.py

zip: .venv/.run ## Build the extension for every platform into dist/
	$(PY) scripts/build_extension.py

system-libraries: ## List the system packages that the bpy wheel needs (Debian, Ubuntu)
	@echo $(SYSTEM_LIBRARIES)

clean: ## Remove what was built, but not the environments
	rm -rf build dist out

# Each stamp file says that an environment holds what its requirements ask for.
.venv/.run: requirements/run.txt
	@"$(PYTHON)" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' \
		2>/dev/null || { echo "Croquis needs Python 3.11 with venv: install it \
	(Debian: apt install python3.11-venv) or name it with make PYTHON=/path/to/python3.11." >&2; exit 2; }
	"$(PYTHON)" -m venv .venv
	$(PY) -m pip install --quiet -r requirements/run.txt
	@$(PY) -c 'import bpy' 2>/dev/null || { echo "bpy cannot start here: \
	install its system libraries with apt install $(SYSTEM_LIBRARIES)." >&2; exit 2; }
	@touch $@

.venv/.dev: requirements/dev.txt requirements/ray.txt .venv/.run
	$(PY) -m pip install --quiet -r requirements/dev.txt
	@touch $@

.venv-types/.ready: requirements/types.txt .venv/.run
	"$(PYTHON)" -m venv .venv-types
	.venv-types/bin/python -m pip install --quiet -r requirements/types.txt
	@touch $@
