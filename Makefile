# make app     set up everything and start the app on 127.0.0.1:8501
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

.PHONY: app test lint bench evaluate train words pictures clean
.DEFAULT_GOAL := app

app: .venv/app.stamp
	$(BIN)/streamlit run app.py

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
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/app.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv/dev.stamp: requirements-dev.txt .venv/app.stamp
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

.venv/bench.stamp: requirements-bench.txt .venv/dev.stamp
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	touch $@
