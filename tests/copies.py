"""Very many rows, made by the database itself from one that Django has made."""


class Copies:
    """For a class that has a `cursor`, and `parameters`, which its columns may name as %(name)s."""

    def copy(self, template, count, **columns):
        """Insert `count` copies of a row; `columns` are SQL over `n`, from 1 to `count`."""
        table, key = template._meta.db_table, template._meta.pk
        if key.db_returning:
            columns |= {"id": f"nextval(pg_get_serial_sequence('{table}', 'id'))"}
        names = [field.column for field in template._meta.concrete_fields]
        made = ", ".join(str(columns.get(name, f"template.{name}")) for name in names)
        statement = (
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {made}"
            f" FROM {table} template, generate_series(1, {count}) n WHERE template.id = %(template)s"
        )
        # Percent signs are remainders, but for the named parameters.
        statement = statement.replace("%%", "%").replace("%", "%%").replace("%%(", "%(")
        self.cursor.execute(statement, self.parameters | {"template": template.pk})
