import django.db.models.deletion
from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension, UnaccentExtension
from django.db import migrations, models

# One form for what is written and what is asked: without accents and capitals, however it was composed. unaccent is
# STABLE because its rules could be changed; ours are not. It is named with its schema, so that a dump can be restored.
PLAIN = """
DO $do$ BEGIN EXECUTE format($format$
    CREATE FUNCTION inbox_plain(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT lower(%1$I.unaccent('%1$I.unaccent'::regdictionary, normalize($1)))
    $$
$format$, (SELECT nspname FROM pg_extension JOIN pg_namespace ON extnamespace = pg_namespace.oid
           WHERE extname = 'unaccent')); END $do$;
"""

# What the parser would glue together as an address or a file name is taken apart first.
WORDS = r"""
ALTER TABLE {table} ADD COLUMN words tsvector GENERATED ALWAYS AS
    (to_tsvector('simple', inbox_plain(translate(text, './-_@:~+&=?%#<>|*^$''"`\', '                      ')))) STORED;
CREATE INDEX {index};
"""
WORDS_OF_PARTS = WORDS.format(table="inbox_part", index="part_words ON inbox_part USING gin (line_id, words) WHERE text <> ''")
WORDS_OF_NOTES = WORDS.format(table="inbox_note", index="note_words ON inbox_note USING gin (words)")

# Whoever writes a part may leave its line out; then it costs a look at its message.
FILL_LINES = """
UPDATE inbox_part SET line_id = chat.line_id FROM inbox_message message JOIN inbox_chat chat ON chat.id = message.chat_id
    WHERE message.id = inbox_part.message_id;
"""
LINE = """
CREATE FUNCTION inbox_line_of_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT chat.line_id INTO NEW.line_id FROM inbox_message message JOIN inbox_chat chat ON chat.id = message.chat_id
        WHERE message.id = NEW.message_id;
    RETURN NEW;
END $$;
CREATE TRIGGER inbox_line_of_part BEFORE INSERT ON inbox_part FOR EACH ROW WHEN (NEW.line_id IS NULL)
    EXECUTE FUNCTION inbox_line_of_part();
"""
NO_LINE = """
DROP TRIGGER inbox_line_of_part ON inbox_part;
DROP FUNCTION inbox_line_of_part();
"""

NAMES = """
CREATE INDEX contact_by_name ON inbox_contact USING gin (inbox_plain(first_name || ' ' || last_name) gin_trgm_ops);
CREATE INDEX handle_by_piece ON inbox_handle USING gin (value gin_trgm_ops);
CREATE INDEX chat_by_name ON inbox_chat USING gin (inbox_plain(display_name) gin_trgm_ops) WHERE display_name <> '';
CREATE INDEX attachment_by_name ON inbox_attachment USING gin (inbox_plain(filename) gin_trgm_ops);
"""
NO_NAMES = "DROP INDEX contact_by_name, handle_by_piece, chat_by_name, attachment_by_name"


class Migration(migrations.Migration):
    dependencies = [("inbox", "0005_places"), ("lines", "0001_initial")]
    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        BtreeGinExtension(),
        migrations.RunSQL(PLAIN, "DROP FUNCTION inbox_plain(text)"),
        migrations.AddField(
            "part",
            "line",
            models.ForeignKey(
                "lines.line",
                django.db.models.deletion.DO_NOTHING,
                null=True,
                related_name="+",
                db_constraint=False,
                db_index=False,
            ),
        ),
        migrations.RunSQL(FILL_LINES, migrations.RunSQL.noop),
        migrations.RunSQL(LINE, NO_LINE),
        migrations.RunSQL(WORDS_OF_PARTS, "ALTER TABLE inbox_part DROP COLUMN words"),
        migrations.RunSQL(WORDS_OF_NOTES, "ALTER TABLE inbox_note DROP COLUMN words"),
        migrations.AddIndex("part", models.Index(fields=["line", "-message", "-id"], name="part_newest")),
        migrations.AddIndex(
            "part",
            models.Index(
                fields=["line", "-message", "-id"],
                name="part_with_file",
                condition=models.Q(attachment__isnull=False),
            ),
        ),
        migrations.RunSQL(NAMES, NO_NAMES),
        # Its own index is the beginning of the one of one_part_per_index.
        migrations.AlterField(
            "part",
            "message",
            models.ForeignKey(
                "inbox.message", django.db.models.deletion.CASCADE, related_name="parts", db_index=False
            ),
        ),
    ]
