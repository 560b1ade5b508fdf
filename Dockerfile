# syntax=docker/dockerfile:1
FROM python:3.13.15-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/pipewright \
 && /opt/pipewright/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
COPY templates ./templates
COPY prompts ./prompts
# The build backend stays in this stage. What is compiled counts whatever times the files have: builders round them on the
# way into the image, and then half of all modules were compiled again at every start, for nothing can be written there.
RUN python -m pip install --quiet "hatchling==1.28.0" \
 && python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/pipewright/bin/python -m pip install --quiet --no-deps --no-index /wheels/*.whl \
 && /opt/pipewright/bin/python -m compileall -q -f --invalidation-mode unchecked-hash /opt/pipewright/lib

FROM python:3.13.15-slim-trixie
LABEL org.opencontainers.image.title="Pipewright" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/pipewright pipewright
COPY --from=build /opt/pipewright /opt/pipewright
ENV PATH=/opt/pipewright/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIPEWRIGHT_LISTEN_HOST=0.0.0.0 \
    PIPEWRIGHT_DATA_DIR=/var/lib/pipewright
USER 10001
WORKDIR /var/lib/pipewright
VOLUME ["/var/lib/pipewright"]
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/live', timeout=4)"]
ENTRYPOINT ["pipewright"]
CMD ["serve"]
