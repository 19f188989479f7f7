from django.db import migrations

# The number is taken at the very end of the transaction, under the lock of the counter's row, so that it is the
# order of commits. Only rows of this transaction can be without one, so one firing serves all that it recorded.
FORWARD = """
CREATE FUNCTION lines_number_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    first_number bigint;
    how_many bigint;
BEGIN
    PERFORM 1 FROM lines_event WHERE id = NEW.id AND sequence IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT count(*) INTO how_many FROM lines_event
        WHERE environment_id = NEW.environment_id AND sequence IS NULL;
    INSERT INTO lines_eventcounter AS counter (environment_id, last) VALUES (NEW.environment_id, how_many)
        ON CONFLICT (environment_id) DO UPDATE SET last = counter.last + how_many
        RETURNING last - how_many INTO first_number;
    UPDATE lines_event SET sequence = first_number + mine.number
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM lines_event
              WHERE environment_id = NEW.environment_id AND sequence IS NULL) AS mine
        WHERE lines_event.id = mine.id;
    PERFORM pg_notify('partyline_events', NEW.environment_id::text);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER lines_number_events AFTER INSERT ON lines_event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lines_number_events();
"""
BACKWARD = """
DROP TRIGGER lines_number_events ON lines_event;
DROP FUNCTION lines_number_events();
"""


class Migration(migrations.Migration):
    dependencies = [("lines", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
