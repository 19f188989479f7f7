from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    """The counters of the rate limits live in PostgreSQL: signing in must not need the broker."""

    dependencies = [("lines", "0003_sandbox")]
    operations = [
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
