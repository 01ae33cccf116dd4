# web, realtime, worker and migrate: the Python half. The lock file's hashes are checked.
FROM python:3.11-slim-bookworm AS packages
WORKDIR /app
RUN python -m venv .venv
COPY requirements.txt ./
RUN .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm
WORKDIR /app
RUN useradd --system --uid 10001 frontdesk && mkdir /data && chown frontdesk /data
COPY --from=packages /app/.venv .venv
COPY Procfile alembic.ini pyproject.toml requirements.in ./
COPY migrations migrations
COPY simulators/__init__.py simulators/
COPY bench/__init__.py bench/
COPY server server
# In place: commands find migrations and the Procfile beside the package.
RUN .venv/bin/python -m pip install --no-cache-dir --no-deps --no-index --no-build-isolation --editable .
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 DATA_DIR=/data
USER frontdesk
VOLUME /data
CMD ["frontdesk", "run", "web"]
