# make run     set up what is missing and start everything; Ctrl-C stops it. With OFFLINE_VOICE=1 calls are
#              heard and spoken on this machine, in English
# make test    set up and run all tests
# make check   format, lint, types, import contract, JavaScript types and lint
# make demo    five guests chat with the desk, offline, against simulators
# make setup   the set-up alone
# make pictures  make the pictures of the documents anew
# make translations  bring the console's translations up to date with its words
# make lock    write the lock files anew from requirements*.in

BIN := .venv/bin

.PHONY: setup run demo test test-unit check format pictures translations lock

setup:
	@scripts/setup
	@$(BIN)/frontdesk migrate
	@$(BIN)/frontdesk seed

run:
	@scripts/setup $(if $(OFFLINE_VOICE),--offline-voice)
	@exec $(BIN)/frontdesk run

demo:
	@scripts/setup
	@exec $(BIN)/python -m simulators.demo

test:
	@scripts/setup --dev
	@scripts/test

test-unit:
	@scripts/setup --dev
	$(BIN)/python -m pytest tests/unit tests/architecture

check:
	@scripts/setup --dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	npx --no-install tsc -p tsconfig.json
	npx --no-install eslint --max-warnings 0 bench server services simulators tests eslint.config.js

format:
	@scripts/setup --dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	npx --no-install eslint --fix bench server services simulators tests eslint.config.js

pictures:
	@scripts/setup --dev
	$(BIN)/python -m scripts.pictures

translations:
	@scripts/setup --dev
	$(BIN)/python -m scripts.translations

lock:
	@scripts/setup --dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" requirements-offline-voice.in \
	  -o requirements-offline-voice.txt
