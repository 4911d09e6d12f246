# What a newcomer needs: `make run` and `make test`. Both set up .venv first.
PYTHON ?= python3
BIN = .venv/bin
export OMP_NUM_THREADS ?= 1
# Where it is set, every program that a test starts compiles what it imports anew: seconds each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup run test test-slow bench results lint clean

setup: .venv/.ready

.venv/.ready: requirements.txt constraints.txt pyproject.toml $(wildcard plugins/*/pyproject.toml)
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements.txt -c constraints.txt
	$(BIN)/gantools plugins list
	touch $@

# A Hopper learns to hop from four demonstrations: policy, film and report in a new folder of runs/.
run: setup
	$(BIN)/gantools run gail --env Hopper

test: setup
	$(BIN)/python -m pytest -n auto --dist loadfile

# What takes longer: ten kills and ten resumes, learning to a score.
test-slow: setup
	$(BIN)/python -m pytest -m slow

# Side by side with loops by hand, and GAIL beside the package `imitation` in its own environment.
bench: setup .venv-imitation/.ready
	$(BIN)/python benchmarks/engine_step.py
	$(BIN)/python benchmarks/vime_gain.py
	$(BIN)/python benchmarks/gail_speed/compare.py

.venv-imitation/.ready: benchmarks/gail_speed/requirements-imitation.txt
	test -d .venv-imitation || $(PYTHON) -m venv .venv-imitation
	.venv-imitation/bin/python -m pip install --quiet -r $<
	touch $@

# The tables of docs/results, from runs that are kept under runs/results; hours where none are.
results: setup
	$(BIN)/python benchmarks/stability.py
	$(BIN)/python benchmarks/robust_results.py
	$(BIN)/python benchmarks/vime_results.py
	$(BIN)/python benchmarks/text2image_results.py
	$(BIN)/python benchmarks/codec_results.py
	$(BIN)/python benchmarks/video_results.py
	$(BIN)/python benchmarks/tts_results.py
	$(BIN)/python benchmarks/gail_results.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv .venv-imitation
