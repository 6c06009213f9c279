# Each target sets up what it needs: an isolated environment in .venv, reused when it is there.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin

.PHONY: demo test coverage lint bench wheels figures pretrained docs lessons clean

demo: $(STAMP)
	$(BIN)/ccvae demo --out demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

# Which lines the tests run; a report to read, without a threshold.
coverage: $(STAMP)
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage report --skip-covered --sort=cover

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# One thread: two would wait for each other wherever something else runs, and blur the ratios.
bench: $(STAMP)
	$(BIN)/python -m ccvae.benchmarks.step --threads 1 --seconds 20
	KINETO_LOG_LEVEL=6 $(BIN)/python -m ccvae.benchmarks.scale --threads 1
	$(BIN)/python -m ccvae.benchmarks.evidence
	$(BIN)/python -m ccvae.benchmarks.gradients
	$(BIN)/python -m ccvae.benchmarks.data
	$(BIN)/python -m ccvae.benchmarks.inspection
	$(BIN)/python -m ccvae.benchmarks.tables
	$(BIN)/python -m ccvae.benchmarks.page --threads 1
	$(BIN)/python -m ccvae.benchmarks.overhead
	$(BIN)/python -m ccvae.benchmarks.killed

# What a machine with a GPU, torch and no network lacks for python -m ccvae.benchmarks.cuda; there,
# pip install --no-index --no-deps build/wheels/*.whl and run it with PYTHONPATH=src.
WHEELS_PYTHON ?= 3.12
wheels: $(STAMP)
	$(BIN)/pip download --quiet --no-deps --only-binary=:all: --python-version $(WHEELS_PYTHON) \
	    -d build/wheels pyro-ppl pyro-api opt-einsum lightning-fabric lightning-utilities mlxtend \
	    msgspec platformdirs rich safetensors

# The plate diagrams of the README and of docs/inspection.md, drawn from the programs, and the floors
# of docs/architecture.md, drawn from the imports.
figures: $(STAMP)
	for program in vae m2 diva ccvae; do \
	    $(BIN)/ccvae inspect $$program -o docs/images/plates-$$program.svg || exit 1; \
	done
	$(BIN)/ccvae inspect ccvae --objective adapted-diva -o docs/images/plates-adapted-diva.svg
	$(BIN)/ccvae inspect ccvae --beside -o docs/images/plates-ccvae-beside.svg
	$(BIN)/ccvae inspect ccvae --objective adapted-diva --inverse \
		-o docs/images/plates-adapted-diva-inverse.svg
	$(BIN)/ccvae inspect ccvae --do y -o docs/images/plates-ccvae-do.svg
	$(BIN)/ccvae objectives --format text -o docs/objectives.txt
	$(BIN)/python tests/layout.py

# Then open build/docs/index.html; lessons that were made lie in build/docs/lessons with their outputs.
docs: $(STAMP)
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs
	if [ -d build/lessons ]; then cp -r build/lessons build/docs/; fi

# The lessons as notebooks with their outputs, as pages and as slides: build/lessons/0_graphs.ipynb,
# .html and .slides.html. LESSON=lessons/0_graphs.py makes one alone; all take about half an hour.
LESSON ?=
lessons: $(STAMP)
	$(BIN)/python docs/notebooks.py build/lessons $(LESSON)

# The run that comes with the page: the demo's weights in half precision, and some test images.
pretrained: demo
	$(BIN)/python -m ccvae.web.shrink demo web/pretrained

# torch and torchvision go first and together, so that pip settles on versions that belong together.
$(STAMP): setup.cfg pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('Python 3.11 or newer is needed, this is ' + sys.version.split()[0] if sys.version_info < (3, 11) else 0)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "torch>=2.9" "torchvision>=0.24"
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache
