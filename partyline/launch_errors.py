"""What keeps Partyline from starting, in words for the person at the terminal."""

import errno

ROOM = 200 * 1024 * 1024


class CannotStart(Exception):
    """What is in the way, as one sentence."""


def sentence_for(error, data):
    if error.errno == errno.ENOSPC:
        return f"The disk under {data} is full: Partyline needs {ROOM // 1024**2} MB of free space there."
    return f"The servers in {data} cannot start: {error}."
