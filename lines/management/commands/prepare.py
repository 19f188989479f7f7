"""Everything that has to be done before the processes start; repeating it does nothing."""

import hashlib
import json
import os
from contextlib import contextmanager

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

DEMO_ADMIN = "max@fairwheel.example"
# Any number will do, as long as all copies lock the same one.
LOCK = 7_278_954


class Command(BaseCommand):
    help = (
        "Migrates, collects static files, makes the demo team the first time; prints a link to sign in with."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--empty", action="store_true", help="make no demo team")
        parser.add_argument("--no-link", action="store_true", help="print no link: for servers with logs")

    def handle(self, *, empty, no_link, **options):
        try:
            with one_at_a_time():
                self.migrate()
                self.collect_static()
                if not empty:
                    self.make_demo()
                link = "" if no_link else self.link()
        except OperationalError as error:
            raise CommandError(
                f"The database does not answer: {str(error).strip().splitlines()[0]}"
            ) from error
        except OSError as error:
            raise CommandError(f"The static files cannot be written: {error}.") from error
        if link:
            self.stdout.write(link)

    def migrate(self):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)
            self.stdout.write("Migrated the database.")

    def collect_static(self):
        manifest = settings.STATIC_ROOT / "staticfiles.json"
        if manifest.exists() and not os.access(settings.STATIC_ROOT, os.W_OK):
            return  # Part of an image, collected when that was built.
        fingerprint = static_fingerprint()
        stamp = settings.PARTYLINE_DATA / "static.stamp"
        if manifest.exists() and stamp.exists() and stamp.read_text() == fingerprint:
            return
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(fingerprint)
        self.stdout.write("Collected the static files.")

    def make_demo(self):
        from lines.models import Environment

        if not Environment.objects.exists():
            call_command("demo")

    def link(self):
        """One line, SIGN-IN or SET-UP and an absolute URL, or nothing."""
        from lines.models import User
        from lines.people import setup_link, sign_in_link

        if admin := User.objects.filter(email=DEMO_ADMIN).first():
            return f"SIGN-IN {sign_in_link(admin)}"
        if not User.objects.exists():
            return f"SET-UP {setup_link()}"
        return ""


@contextmanager
def one_at_a_time():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def static_fingerprint():
    backend = settings.STORAGES["staticfiles"]["BACKEND"]
    digest = hashlib.sha256(json.dumps([backend, str(settings.STATIC_ROOT)]).encode())
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda found: found[0]):
            modified = storage.get_modified_time(path).timestamp()
            digest.update(f"{path} {storage.size(path)} {modified}\n".encode())
    return digest.hexdigest()
