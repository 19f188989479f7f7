"""Invariants 1 and 4 while processes are killed, on a copy of its own; the long run is `bin/bench chaos`."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_nothing_happens_twice():
    script = settings.BASE_DIR / "bench" / "chaos.py"
    environ = os.environ | {"PYTHONPATH": str(settings.BASE_DIR)}
    run = subprocess.run(
        [sys.executable, script, "--quick"], env=environ, capture_output=True, text=True, timeout=400
    )
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    assert json.loads(run.stdout.splitlines()[-1])["ok"], said
