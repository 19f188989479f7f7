import structlog
from django.db import transaction

log = structlog.get_logger()


def wake(task, *args, countdown=0):
    """Enqueue `task` after the commit. The broker may be away: the sweeps find whatever nobody was woken for."""
    transaction.on_commit(lambda: wake_now(task, *args, countdown=countdown))


def wake_now(task, *args, countdown=0):
    try:
        task.apply_async(args, countdown=countdown or None)
    except task.OperationalError as error:
        log.warning("broker_away", task=task.name, error=str(error))
