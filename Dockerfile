# heketipy in a container. Build: docker build -t heketipy .
# Run:   docker run -p 8080:8080 -v /etc/heketi:/etc/heketi:ro -v heketi-data:/var/lib/heketi heketipy

FROM python:3.11-slim AS builder
WORKDIR /src
COPY requirements/build.txt requirements/server.txt requirements/
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
 && /opt/build/bin/pip wheel --no-cache-dir --require-hashes --wheel-dir /wheels -r requirements/server.txt
COPY pyproject.toml README.md LICENSE ./
COPY heketipy heketipy
COPY migrations migrations
COPY topology topology
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.11-slim
RUN --mount=type=bind,from=builder,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --no-deps /wheels/*.whl \
 && useradd --system --uid 1000 --home-dir /var/lib/heketi --create-home --shell /usr/sbin/nologin heketi \
 && mkdir -p /etc/heketi
COPY topology /usr/share/heketi/topology

USER heketi
WORKDIR /var/lib/heketi
VOLUME /var/lib/heketi
EXPOSE 8080

# No init is needed: heketipy handles SIGTERM itself, also as process 1, and starts no processes that would want reaping.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('HEKETI_HTTP_PORT', '8080') + '/hello', timeout=4)"]

ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["heketipy"]
CMD ["serve", "--config", "/etc/heketi/heketi.json"]
