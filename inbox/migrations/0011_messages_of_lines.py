import django.db.models.deletion
from django.db import migrations, models

FILL = """
UPDATE inbox_message message SET
    line_id = chat.line_id,
    cleared_at = CASE WHEN message.direction = 'outbound' THEN message.accepted_at END
FROM inbox_chat chat WHERE chat.id = message.chat_id
"""


class Migration(migrations.Migration):
    # Filling leaves checks of foreign keys pending, and a table with these cannot be altered.
    atomic = False

    dependencies = [
        ("inbox", "0010_what_programs_send"),
        ("lines", "0019_opening_hours"),
    ]

    operations = [
        migrations.AddField(
            "message", "cleared_at", models.DateTimeField(null=True)
        ),
        migrations.AddField(
            "message",
            "line",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="lines.line",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            "message",
            "line",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="lines.line",
            ),
        ),
        migrations.AddIndex(
            "message", models.Index(fields=["line", "at"], include=["direction"], name="message_of_line")
        ),
        migrations.AddIndex(
            "message",
            models.Index(
                fields=["line", "cleared_at"],
                condition=models.Q(cleared_at__isnull=False),
                name="message_left_by_line",
            ),
        ),
    ]
