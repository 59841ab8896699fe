# One image for the router and the five services; which of them it is, its command says. `--target nats` is NATS with
# our configuration. The extras `otel` and `valkey` are in it: what a setting turns on cannot be installed any more.

FROM node:22-slim AS page
WORKDIR /page
COPY router/server/explorer/package.json router/server/explorer/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY router/server/explorer ./
RUN npm run build

FROM python:3.13-slim AS install
WORKDIR /app
# No pip is left in /venv; what builds our package, locked like the rest, stays behind in this stage.
RUN python -m venv --without-pip /venv && python -m venv --without-pip /build
COPY requirements.lock ./
RUN pip --python /venv install --no-cache-dir --require-hashes --requirement requirements.lock
COPY requirements-build.lock /build/
RUN pip --python /build install --no-cache-dir --require-hashes --requirement /build/requirements-build.lock
COPY pyproject.toml README.md LICENSE supergraph.yaml router.yaml ./
COPY docs/errors docs/errors
COPY examples examples
COPY router router
COPY subgraphs subgraphs
COPY --from=page /page/dist router/server/explorer/dist
# Editable, so that code and the files beside it (schemas, page) are there once. Compiled here: the image is read-only.
RUN /build/bin/hatchling build --target wheel:editable --directory /build/dist \
 && pip --python /venv install --no-cache-dir --no-index --no-deps /build/dist/*.whl \
 && /venv/bin/python -m compileall -q router subgraphs

FROM python:3.13-slim AS galleria
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=install /venv /venv
COPY --from=install /app /app
USER 10001:10001
CMD ["galleria", "--help"]

FROM nats:2.15.1-alpine AS nats
COPY deploy/nats/nats.conf /etc/nats/nats.conf
# A named volume takes its owner from the directory that it covers.
RUN mkdir /data && chown 10001:10001 /data
USER 10001:10001
CMD ["nats-server", "--config", "/etc/nats/nats.conf"]

# What `docker build .` makes without a target.
FROM galleria
