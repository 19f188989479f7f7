"""What long runs of bin/bench show, in short: invariants 1 and 4 while processes are killed, and that the mirror of an account ends as
the account is, whatever is killed or lost on the way. Each on copies of its own."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.slow
@pytest.mark.parametrize(("bench", "timeout"), [("chaos", 400), ("history", 900), ("outage", 900)])
def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(bench, timeout):
    script = settings.BASE_DIR / "bench" / f"{bench}.py"
    environ = os.environ | {"PYTHONPATH": str(settings.BASE_DIR)}
    run = subprocess.run(
        [sys.executable, script, "--quick"], env=environ, capture_output=True, text=True, timeout=timeout
    )
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    assert json.loads(run.stdout.splitlines()[-1])["ok"], said
