# The program alone, without a compiler or a package manager's cache: docs/containers.md
FROM python:3.13-slim AS build
WORKDIR /source
RUN python -m venv /opt/spendscope
COPY requirements.lock pyproject.toml setup.py README.md __main__.py app.py ./
COPY assets assets
COPY callbacks callbacks
COPY components components
COPY data data
RUN /opt/spendscope/bin/pip install --no-cache-dir -c requirements.lock '.[clickhouse,telemetry]' \
 && /opt/spendscope/bin/python -m compileall -q /opt/spendscope/lib

FROM python:3.13-slim
COPY --from=build /opt/spendscope /opt/spendscope
RUN install -d -o 10001 -g 10001 -m 700 /data
ENV PATH=/opt/spendscope/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    SPENDSCOPE_HOST=0.0.0.0 \
    SPENDSCOPE_DATA_DIR=/data
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8050
HEALTHCHECK --start-period=60s --interval=30s --timeout=10s CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8050/readyz', timeout=8)"]
ENTRYPOINT ["spendscope"]
CMD ["serve"]
