from django.core.management.base import BaseCommand

from inbox.analytics import rollup
from lines.models import Environment


class Command(BaseCommand):
    help = "Count all figures of Team Analytics anew from the messages."

    def handle(self, **options):
        for environment in Environment.objects.order_by("pk"):
            rollup.rebuild(environment)
            self.stdout.write(f"{environment}: counted")
