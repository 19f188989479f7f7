import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# Without a cursor everything is counted again, under labels too.
COUNT_AGAIN = "DELETE FROM inbox_figurescursor"


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0014_labels'),
        ('lines', '0021_line_health'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='answertimes',
            name='one_row_of_answer_times',
        ),
        migrations.RemoveConstraint(
            model_name='failurefigures',
            name='one_row_of_failures',
        ),
        migrations.RemoveConstraint(
            model_name='figures',
            name='one_row_of_figures',
        ),
        migrations.RemoveConstraint(
            model_name='weekhours',
            name='one_row_of_week_hours',
        ),
        migrations.AddField(
            model_name='answertimes',
            name='label',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inbox.label'),
        ),
        migrations.AddField(
            model_name='failurefigures',
            name='label',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inbox.label'),
        ),
        migrations.AddField(
            model_name='figures',
            name='label',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inbox.label'),
        ),
        migrations.AddField(
            model_name='weekhours',
            name='label',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inbox.label'),
        ),
        migrations.AddConstraint(
            model_name='answertimes',
            constraint=models.UniqueConstraint(fields=('grain', 'label', 'line', 'since', 'author', 'is_first', 'in_hours', 'bucket'), name='one_row_of_answer_times', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='failurefigures',
            constraint=models.UniqueConstraint(fields=('grain', 'label', 'line', 'since', 'author', 'code'), name='one_row_of_failures', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='figures',
            constraint=models.UniqueConstraint(fields=('grain', 'label', 'line', 'since', 'author', 'service'), name='one_row_of_figures', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='weekhours',
            constraint=models.UniqueConstraint(fields=('label', 'line', 'since', 'weekday', 'hour'), name='one_row_of_week_hours', nulls_distinct=False),
        ),
        migrations.RunSQL(COUNT_AGAIN, migrations.RunSQL.noop),
    ]
