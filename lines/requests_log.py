"""Requests of programs on their way into the log, which no answer waits for."""

import atexit
import threading

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from lines.models import ApiRequest

log = structlog.get_logger()

# Of those that wait while the database is away; what comes then is not written down.
MOST = 10_000


class RequestsLog:
    """Rows that are written together, REQUEST_LOG_SECONDS after the first of them; at once where that is 0."""

    def __init__(self):
        self.rows, self.lock, self.timer = [], threading.Lock(), None

    def add(self, row):
        if not settings.REQUEST_LOG_SECONDS:
            return row.save(force_insert=True)
        with self.lock:
            if len(self.rows) < MOST:
                self.rows.append(row)
            if self.timer is None:
                self.timer = threading.Timer(settings.REQUEST_LOG_SECONDS, self._write)
                self.timer.daemon = True
                self.timer.start()

    def _write(self):
        try:
            self.flush()
        finally:
            connection.close()

    def flush(self):
        """Write down what waits; where the database is away it is tried again with the next."""
        with self.lock:
            rows, self.rows, self.timer = self.rows, [], None
        try:
            ApiRequest.objects.bulk_create(rows, batch_size=1000)
        except (OperationalError, InterfaceError) as error:
            log.warning("requests_not_logged", count=len(rows), error=str(error))
            with self.lock:
                self.rows = rows + self.rows
        except DatabaseError:
            self.write_each(rows)

    def write_each(self, rows):
        """One of them cannot be kept: its environment is gone, say. The others are."""
        for row in rows:
            try:
                row.save(force_insert=True)
            except DatabaseError as error:
                log.warning("request_not_logged", path=row.path, error=str(error))


requests_log = RequestsLog()
atexit.register(requests_log.flush)
