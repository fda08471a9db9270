# The service and the simulator. Broker and database are containers of their own: see docker-compose.yml.
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
# Builds the page too: Node comes from PyPI as a build requirement.
RUN python -m venv /opt/seal-tracker \
 && /opt/seal-tracker/bin/pip install --no-cache-dir --disable-pip-version-check . \
 && find /opt/seal-tracker -name __pycache__ -prune -exec rm -r {} +

FROM python:3.12-slim
RUN useradd --system --uid 1000 --user-group --no-create-home --shell /usr/sbin/nologin seal-tracker
# A new volume takes its owner from here.
RUN install --directory --owner=1000 --group=1000 --mode=0700 /var/lib/seal-tracker
COPY --from=build /opt/seal-tracker /opt/seal-tracker
ENV PATH=/opt/seal-tracker/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["seal-tracker", "serve"]
