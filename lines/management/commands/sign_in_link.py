from django.core.management.base import BaseCommand, CommandError

from lines.models import User


class Command(BaseCommand):
    help = "Print a link that signs a person in once, within a day: for whoever lost every other way in."

    def add_arguments(self, parser):
        parser.add_argument("email")

    def handle(self, *, email, **options):
        from lines.people import sign_in_link

        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            raise CommandError("Nobody here has that e-mail address.")
        self.stdout.write(sign_in_link(user))
