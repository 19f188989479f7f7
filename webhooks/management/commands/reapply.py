from django.core.management.base import BaseCommand

from webhooks import apply
from webhooks.models import Receipt


class Command(BaseCommand):
    help = (
        "Put kept or parked receipts (or others) back into the queue and apply them; repeats change nothing."
    )

    def add_arguments(self, parser):
        states = [state.value for state in Receipt.State if state != Receipt.State.PENDING]
        parser.add_argument("--state", action="append", choices=states, help="default: kept and parked")
        parser.add_argument("--type", action="append", help="only these event types")
        parser.add_argument("--environment", help="only this environment (slug)")

    def handle(self, *, state, type, environment, verbosity, **options):
        receipts = Receipt.objects.filter(state__in=state or ["kept", "parked"])
        if type:
            receipts = receipts.filter(event_type__in=type)
        if environment:
            receipts = receipts.filter(environment__slug=environment)
        count = receipts.update(state="pending", tries=0, awaits="", next_try_at=apply.timezone.now())
        apply.apply_pending()
        if verbosity:
            self.stdout.write(f"{count} receipts applied again")
