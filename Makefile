# make app     set up everything and start the app on 127.0.0.1:8501
# make class   the same for everybody in the room, with the address as a QR code
# make cluster REPLICAS=2   the networks as a service for several app processes, see docs/deploy.md
# make test    set up everything and pass every test, browser tests included
# make lint    ruff and the type checker
# make bench   benchmarks, side by side
# make evaluate DATA=folder   the networks' figures on held-out data, into their cards
# make train   DATA=folder MODEL=dogs   go on training a network
# make words   gather the texts to translate, and compile the catalogues
# make pictures   the README's screenshots and moving picture

PYTHON ?= python3
BIN := .venv/bin
MODEL ?= digits
MINUTES ?= 60
REPLICAS ?= 1

.PHONY: app class cluster test lint bench evaluate train words pictures clean
.DEFAULT_GOAL := app

app: .venv/app.stamp
	$(BIN)/streamlit run app.py

class: .venv/class.stamp
	$(BIN)/python tools/serve_class.py $(if $(ADDRESS),--address $(ADDRESS))

cluster: .venv/cluster.stamp
	RAY_USAGE_STATS_ENABLED=0 OMP_NUM_THREADS=1 $(BIN)/python -m deploy.network --replicas $(REPLICAS)

test: .venv/dev.stamp
	PYTHON=$(BIN)/python tools/find_browser.sh
	$(BIN)/python -m pytest

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: .venv/bench.stamp
	PYTHON=$(BIN)/python tools/find_browser.sh
	$(BIN)/python -m bench

evaluate: .venv/bench.stamp
	$(if $(DATA),,$(error say where the data sets lie: make evaluate DATA=folder))
	$(BIN)/python -m bench.evaluate --data $(DATA)

train: .venv/app.stamp
	$(if $(DATA),,$(error say where the pictures lie: make train DATA=folder MODEL=dogs))
	$(BIN)/python -m diffusion train --data $(DATA) --model $(MODEL) --minutes $(MINUTES) --export \
		$(if $(DATA_SET),--data-set $(DATA_SET))

words: .venv/dev.stamp
	$(BIN)/python tools/make_words.py

pictures: .venv/dev.stamp
	PYTHON=$(BIN)/python tools/find_browser.sh
	$(BIN)/python tools/make_pictures.py

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build

.venv/bin/python:
	$(PYTHON) -m venv .venv || { rm -rf .venv; false; }
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/app.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv/dev.stamp: requirements-dev.txt .venv/app.stamp
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

.venv/class.stamp: requirements-class.txt .venv/app.stamp
	$(BIN)/python -m pip install --quiet -r requirements-class.txt
	touch $@

.venv/cluster.stamp: requirements-cluster.txt .venv/app.stamp
	$(BIN)/python -m pip install --quiet -r requirements-cluster.txt
	touch $@

.venv/bench.stamp: requirements-bench.txt .venv/dev.stamp
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	touch $@
