# The image of all four processes: web (its default command), worker, beat and deliver; compose.yaml runs them.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY locks/app.txt /tmp/app.txt
RUN /venv/bin/pip install --no-deps --require-hashes -r /tmp/app.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PARTYLINE_DATA=/data PORT=8000 LOG_FORMAT=json
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin partyline \
 && install -d -o partyline -g partyline /app /data
WORKDIR /app
COPY --from=build /venv /venv
COPY manage.py pyproject.toml ./
COPY partyline partyline
COPY lines lines
COPY inbox inbox
COPY webhooks webhooks
COPY templates templates
COPY static static
# Static files are part of the image, outside of the volume; the secrets only satisfy the settings and stay nowhere.
ENV STATIC_ROOT=/app/collected
RUN SECRET_KEY=build ENCRYPTION_KEYS=build DATABASE_URL=postgresql://build@localhost/build \
    REDIS_URL=redis://localhost PUBLIC_URL=https://localhost \
    python manage.py collectstatic --noinput --verbosity 0
USER partyline
VOLUME /data
EXPOSE 8000
# Asked under the public name, the only one that ALLOWED_HOSTS has to know.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-c", "\
import os, urllib.parse, urllib.request as web; \
host = urllib.parse.urlsplit(os.environ.get('PUBLIC_URL', 'http://localhost')).netloc; \
web.urlopen(web.Request('http://127.0.0.1:8000/healthz', headers={'Host': host}), timeout=4)"]
CMD ["daphne", "-b", "0.0.0.0", "-p", "8000", "partyline.asgi:application"]
