# `make` lists the targets. PYTHON=python3.8 takes another Python than the first on PATH that fits (3.6 to 3.13).
PYTHON =

# Everything runs in .venv, or the VENV given, with Theano told which BLAS to link. The caller's THEANO_FLAGS come last:
# they win.
VENV = .venv
IN_VENV = THEANO_FLAGS="blas.ldflags='$$($(VENV)/bin/python theano_spp/legacy_bridge/blas.py)',$(COMPILER)$$THEANO_FLAGS" \
    $(VENV)/bin/python

# Without debugging information in what Theano compiles, which takes g++ a fifth of its time. Not for the tests: they give
# the compiler flags of their own.
demo example reproduce: COMPILER = gcc.cxxflags=-g0,

# What the reproduction of the paper keeps, to go on where it was stopped, and where its results go.
REPRODUCTION = $(if $(QUICK),--quick --folder reproduction-quick,--folder reproduction --document docs/reproduction.md)

.PHONY: help demo example reproduce test test-cpu test-gpu fuzz sanitize lint bench bench-gpu docs wheel venv clean

help:      ## list the targets
	@sed -n 's/^\([a-z-]*\): .*## /  make \1\t/p' Makefile

demo: venv ## superpixel pooling in a Keras model, on photographs: prints numbers, writes demo.png
	@$(IN_VENV) -m examples.demo

example: venv ## another example: make example NAME=region_graph, or NAME=v3_block
	@$(IN_VENV) -m examples.$(or $(NAME),region_graph)

reproduce: venv ## the paper, from image-level labels to segmentations: an hour and a half; QUICK=1: the same way, small
	@$(IN_VENV) -m spn reproduce $(REPRODUCTION) --seed $(or $(SEED),0)

test: test-cpu ## all tests, those on a GPU too; or some: make test TESTS=tests/theano_spp
	@$(if $(TESTS),,$(MAKE) --no-print-directory test-gpu)

test-cpu: venv ## the tests that need no GPU
	@$(IN_VENV) -m tests $(TESTS)

# OpenCL's first device is the processor where PoCL is installed and no card is.
DEVICE = opencl0:0

# With CUDA's compiler, for libgpuarray to find.
IN_VENV_GPU = LD_LIBRARY_PATH="$$(echo $$PWD/.venv-gpu/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib):$$LD_LIBRARY_PATH" \
    THEANO_FLAGS="blas.ldflags=,device=$(DEVICE),floatX=float32,$$THEANO_FLAGS" .venv-gpu/bin/python

test-gpu:  ## the ops on a GPU; where none is, through OpenCL on the processor: make test-gpu DEVICE=cuda
	@sh environments/make_gpu_venv.sh || { [ $$? = 2 ] && echo 'The tests on the GPU were not run.' && exit 0; exit 1; } && \
	[ -d .venv-gpu ] && $(IN_VENV_GPU) -m tests $(or $(TESTS),tests/gpuarray)

fuzz: venv ## every op with generated inputs against an independent truth, for SECONDS=60
	@$(IN_VENV) -m tests.fuzz --seconds $(or $(SECONDS),60)

sanitize: venv ## the C code under AddressSanitizer and UBSan
	@$(IN_VENV) -m tests.sanitize

# In Python 3.11, which import-linter needs. ruff leaves the C files out.
lint:      ## ruff, the length of lines in C files, the layers of imports: in seconds
	@$(or $(PYTHON),python3) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "make lint: import-linter needs" \
	    " Python 3.11, but this is Python %d.%d (name another: make lint PYTHON=python3.11)" % sys.version_info[:2])'
	@sh environments/make_venv.sh "$(PYTHON)" .venv-lint requirements-lint.txt
	@.venv-lint/bin/ruff check --quiet --no-cache .
	@! grep -rnE '.{121}' theano_spp/c_code theano_spp/gpuarray/c_code || \
	    { echo 'make lint: these lines of C are above 120 columns (wrap them).'; exit 1; }
	@.venv-lint/bin/lint-imports --no-cache --no-logo

bench: venv ## mean pooling beside other libraries (QUICK=1: in short); NAME=growth, training, operations, resize: more
	@$(IN_VENV) -m benchmarks$(addprefix .,$(NAME)) $(if $(QUICK),--quick) $(OTHER)

bench-gpu: ## mean pooling on a GPU, in GB/s: make bench-gpu DEVICE=cuda PEERS=python3 (one that has PyTorch or JAX)
	@sh environments/make_gpu_venv.sh && $(IN_VENV_GPU) -m benchmarks.gpu $(addprefix --peers ,$(PEERS))

# No C code runs here, so none is compiled.
docs:      ## the pages to browse, in docs/_build/html; a warning or a broken reference is an error
	@sh environments/make_venv.sh "$(PYTHON)" .venv-docs requirements-docs.txt
	@rm -rf docs/_build
	@THEANO_FLAGS="cxx=,$$THEANO_FLAGS" .venv-docs/bin/python -W ignore -m sphinx -q -W --keep-going -j auto -c docs \
	    -d docs/_build/doctrees . docs/_build/html
	@echo "docs/_build/html/index.html"

wheel: venv ## the packages to install elsewhere, in dist/
	@.venv/bin/python setup.py -q sdist bdist_wheel
	@ls dist/*

venv:      ## the .venv that all of these use, with the pinned requirements
	@sh environments/make_venv.sh $(PYTHON)

clean:     ## remove all that the targets made
	rm -rf .venv .venv-gpu .venv-bench .venv-docs .venv-lint .theano_test build dist *.egg-info docs/_build
	rm -f demo.png region_graph.png v3_block.png
	find . -name __pycache__ -prune -exec rm -rf {} +
