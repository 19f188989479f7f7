"""What the long runs of `bin/bench history` and `bin/bench outage` show, in short: two copies end as one."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.slow
@pytest.mark.parametrize("bench", ["history", "outage"])
def test_the_mirror_ends_as_the_account_is(bench):
    script = settings.BASE_DIR / "bench" / f"{bench}.py"
    environ = os.environ | {"PYTHONPATH": str(settings.BASE_DIR)}
    run = subprocess.run(
        [sys.executable, script, "--quick"], env=environ, capture_output=True, text=True, timeout=900
    )
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    assert json.loads(run.stdout.splitlines()[-1])["ok"], said
