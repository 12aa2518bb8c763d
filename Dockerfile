# One image for all services: the command says which one it is (docs/kubernetes.md). No shell is needed to run it.
#   docker build --build-arg REVISION=$(git rev-parse HEAD) -t tandem:0.1.0 .
# Python on Debian 12, as an index of all platforms; ADR 0044 says how the digest is renewed and what makes two builds the same.
ARG PYTHON_IMAGE=docker.io/library/python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON_IMAGE} AS build
# Seconds since 1970: the time that every file and the image say of themselves.
ARG SOURCE_DATE_EPOCH=0
# Sets are written in their order by the compiler: the same hashes, the same bytes.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv --without-pip /opt/tandem \
    && python -m pip --python /opt/tandem/bin/python install --require-hashes --no-compile --only-binary :all: -r requirements/runtime.txt \
    && python -m pip install --require-hashes --no-compile --only-binary :all: -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY docs/runbooks docs/runbooks
COPY shared shared
COPY services services
COPY sandbox sandbox
COPY tandem_cli tandem_cli
COPY tandem_ops tandem_ops
# Bytecode is made here, since the file system is read-only later: without it every start compiles everything anew.
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && python -m pip --python /opt/tandem/bin/python install --no-deps --no-compile dist/*.whl \
    && /opt/tandem/bin/python -m compileall -q -j 1 --invalidation-mode unchecked-hash /opt/tandem/lib \
    && find /opt/tandem -exec touch --no-dereference --date=@${SOURCE_DATE_EPOCH} {} +

FROM ${PYTHON_IMAGE}
ARG REVISION=
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Tandem" \
      org.opencontainers.image.description="Keeps Jira and Craft.io in step: self-hosted, event-driven, two-way" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.12.14-slim-bookworm"
COPY --from=build /opt/tandem /opt/tandem
ENV PATH=/opt/tandem/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TANDEM_BUILD_REVISION=${REVISION}
# A number, since Kubernetes can tell only from a number that it is not root. It owns nothing here.
USER 10001:10001
WORKDIR /
EXPOSE 9090
CMD ["tandem", "--help"]
