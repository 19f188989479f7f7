"""Previews of files from strangers, made in a process of their own.

A picture can be a bomb, a video can be written to keep its reader busy for ever or to crash it. So whatever takes
a file apart does that in a child that has little memory, little time, no secrets and no database; what happens to
it there is told in a sentence.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

# Seconds.
TIME_LIMIT = 40
# Bytes. Decoding the largest picture that is taken needs a third of it.
MEMORY_LIMIT = 2 * 1024**3
RESULT_LIMIT = 64 * 1024**2
MAX_PIXELS = 64_000_000
LONG_EDGE = 1600
ROOT = Path(__file__).resolve().parents[2]
# What the child is given of our environment: nothing that is secret.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TMPDIR", "TEMP")


class Unreadable(Exception):
    """No preview can be made, now or later; says why, to people."""


def make(mime_type, source, target):
    """What is found in the file at `source`, as a dict of fields of Previewable; where it has a picture or a sound
    that browsers show, that is written to `target`. Raises Unreadable after TIME_LIMIT seconds at the latest."""
    environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "inbox.previews", mime_type, str(source), str(target)],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIME_LIMIT,
        )
        answer = json.loads(child.stdout) if child.returncode == 0 else {}
    except subprocess.TimeoutExpired as error:
        raise Unreadable("Making a preview of it took too long") from error
    except ValueError as error:
        raise Unreadable("Its preview could not be made") from error
    if "found" not in answer:
        raise Unreadable(answer.get("refused") or "Its preview could not be made")
    return answer["found"]
