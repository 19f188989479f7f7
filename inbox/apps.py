from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "inbox"
    verbose_name = "Inbox"

    def ready(self):
        from inbox.models import assigning, waking
        from lines.models.event import recorded

        recorded.connect(assigning.follow_access)
        recorded.connect(waking.follow_guard)
