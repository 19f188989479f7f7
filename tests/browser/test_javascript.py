"""A program in JavaScript with the official client of npm, against a running copy. It needs node, and is a step of
.ci/run: bin/test -m node"""

import os
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.node
HERE = Path(__file__).parent / "javascript"
MAKE_KEYS = """
from lines.models import ApiToken, Environment, User
environment = Environment.objects.get(slug="fairwheel")
max = User.objects.get(email__startswith="max@")
print("KEY", ApiToken.make(environment, "Road", by=max)[1])
print("READING", ApiToken.make(environment, "Reader", by=max, scopes=["read"])[1])
"""


def test_the_official_client_of_npm_goes_the_main_road(copy):
    keys = dict(re.findall(r"^(KEY|READING) (\S+)", copy.shell(MAKE_KEYS), re.M))
    environment = os.environ | {
        "LINQ_API_V3_API_KEY": keys["KEY"],
        "LINQ_API_V3_BASE_URL": f"{copy.url}/api/partner",
        "READING_KEY": keys["READING"],
    }
    subprocess.run(["npm", "ci", "--silent"], cwd=HERE, check=True)
    road = subprocess.run(
        ["node", "road.mjs"], cwd=HERE, env=environment, capture_output=True, text=True, timeout=180
    )
    assert road.returncode == 0, road.stdout + road.stderr
