from django.core.management.base import BaseCommand
from django.db import transaction

from inbox.demo.people import CUSTOMERS, LINES, TEAM
from inbox.demo.telling import Telling
from lines.models import Environment, Handset, Line, User
from lines.people import create_person

SLUG = "fairwheel"


class Command(BaseCommand):
    help = (
        "Makes Fairwheel Cycles, a demo team on a sandbox environment. Where it is already, nothing happens."
    )

    @transaction.atomic
    def handle(self, **options):
        if Environment.objects.filter(slug=SLUG).exists():
            return
        environment = Environment.objects.create(
            name="Fairwheel", slug=SLUG, carrier="sandbox", colour="plum"
        )
        lines = {
            name: Line.objects.create(environment=environment, name=name, phone_number=number, wire=wire)
            for name, number, wire in LINES
        }
        people = {colleague.key: self.hire(environment, colleague, lines) for colleague in TEAM}
        customers = {
            customer.key: self.hand_over_phone(environment, customer, tone)
            for tone, customer in enumerate(CUSTOMERS)
        }
        Telling(environment, people, customers).tell()

    def hire(self, environment, colleague, lines):
        person = User.objects.filter(email=colleague.email).first()
        person = person or create_person(colleague.email, colleague.name, password=None)
        environment.admit(person, role=colleague.role, lines=[lines[name] for name in colleague.lines])
        return person

    def hand_over_phone(self, environment, customer, tone):
        return Handset.objects.create(
            environment=environment,
            handle=customer.number,
            name=customer.name,
            kind=customer.kind,
            remark=customer.remark,
            persona=customer.persona,
            sends_read_receipts=customer.sends_read_receipts,
            tone=tone % 6 + 1,
        )
