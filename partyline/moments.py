"""How a time is told to programs, carriers and the log."""

from datetime import UTC


def moment(value):
    """RFC 3339 in UTC, ending in Z; None stays None."""
    return value and value.astimezone(UTC).isoformat().replace("+00:00", "Z")
