import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import partyline.fields


def take_credentials(apps, schema_editor):
    Environment, Account = apps.get_model("lines", "Environment"), apps.get_model("lines", "Account")
    for environment in Environment.objects.filter(carrier="linq").exclude(credentials=""):
        Account.objects.create(
            environment=environment, key=environment.credentials, base_url=settings.LINQ_API_URL
        )


class Migration(migrations.Migration):
    dependencies = [("lines", "0021_line_health")]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "environment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="account",
                        serialize=False,
                        to="lines.environment",
                    ),
                ),
                ("base_url", models.CharField(max_length=300)),
                ("key", partyline.fields.EncryptedTextField(blank=True, default="")),
                ("numbers", models.JSONField(default=list)),
                ("checked_at", models.DateTimeField(null=True)),
                ("subscription_id", models.CharField(blank=True, default="", max_length=100)),
                ("subscribed_at", models.DateTimeField(null=True)),
                ("older_subscription_id", models.CharField(blank=True, default="", max_length=100)),
                ("older_secret", partyline.fields.EncryptedTextField(blank=True, default="")),
                ("older_until", models.DateTimeField(null=True)),
                ("heard_at", models.DateTimeField(null=True)),
                ("trouble", models.CharField(blank=True, default="", max_length=300)),
                ("trouble_since", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RunPython(take_credentials, migrations.RunPython.noop),
        migrations.RemoveField(model_name="environment", name="credentials"),
    ]
