"""The child: takes one file apart and says on its output what it found, or why it found nothing."""

import json
import sys

from inbox.previews import MEMORY_LIMIT, RESULT_LIMIT, TIME_LIMIT, Unreadable
from inbox.previews.making import preview_of

try:
    import resource
except ImportError:  # Windows has no such limits; the parent's clock is there.
    resource = None


def main(mime_type, source, target):
    limit(MEMORY_LIMIT, TIME_LIMIT, RESULT_LIMIT)
    try:
        answer = {"found": preview_of(mime_type, source, target)}
    except Unreadable as reason:
        answer = {"refused": str(reason)}
    except MemoryError:
        answer = {"refused": "It is too large to make a preview of"}
    json.dump(answer, sys.stdout)


def limit(memory, seconds, size):
    if resource is None:
        return
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, size),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main(*sys.argv[1:])
