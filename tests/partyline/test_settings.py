"""Every setting is explained in .env.example, and what is explained there exists."""

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = (ROOT / ".env.example").read_text()
# Its only reader is compose.yaml.
COMPOSE = {"POSTGRES_PASSWORD"}


def settings_read():
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "partyline/settings.py").read_text()))


def settings_explained():
    return re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.MULTILINE)


def test_every_setting_is_in_the_example():
    assert settings_read() - set(settings_explained()) == set()


def test_the_example_holds_nothing_that_nobody_reads():
    assert set(settings_explained()) - settings_read() == COMPOSE


def test_nothing_is_in_the_example_twice():
    assert len(settings_explained()) == len(set(settings_explained()))


def test_every_setting_has_its_words():
    """A sentence stands above each, or above the pair that it belongs to."""
    alone = re.findall(r"\n\n(?:# )?([A-Z_]+)=", EXAMPLE)
    assert alone == []


def production(**given):
    """The environment of a server: nothing of this one but what Python needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": "A" * 43 + "=",
        "PUBLIC_URL": "https://partyline.example.com",
        "ALLOWED_HOSTS": "partyline.example.com",
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
        "BEHIND_PROXY": "1",
        **given,
    }


def python(*words, environment):
    return subprocess.run(
        [sys.executable, *words],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_production_is_clean_to_the_deployment_check():
    done = python("manage.py", "check", "--deploy", "--fail-level", "WARNING", environment=production())

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "REDIS_URL"])
def test_what_cannot_be_guessed_must_be_given(name, tmp_path):
    # A copy beside which no .env can lie.
    (tmp_path / "partyline").mkdir()
    copy = tmp_path / "partyline/settings.py"
    copy.write_text((ROOT / "partyline/settings.py").read_text())
    environment = production()
    del environment[name]

    done = python(copy, environment=environment)

    assert done.returncode != 0
    assert name in done.stderr
