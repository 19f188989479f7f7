"""The environment in which Partyline's own processes run when the launcher starts them."""

import base64
import json
import os
import secrets
from urllib.parse import urlsplit

from partyline.launch_folder import private_file


def environment_for(data, given):
    """What is given, and for everything else what a copy on this machine needs; makes the secrets once."""
    port = given.get("PORT") or "8000"
    public_url = given.get("PUBLIC_URL") or f"http://localhost:{port}"
    kept = read_or_make_secrets(data)
    defaults = {
        "PORT": port,
        "PUBLIC_URL": public_url,
        "RECEIVER_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": ",".join(
            dict.fromkeys(["localhost", "127.0.0.1", "[::1]", hostname_of(public_url)])
        ),
        "INSECURE_COOKIES": "1" if public_url.startswith("http://") else "0",
        "SECRET_KEY": kept["SECRET_KEY"],
        "ENCRYPTION_KEYS": kept["ENCRYPTION_KEY"],
        "PYTHONUNBUFFERED": "1",
    }
    return defaults | {name: value for name, value in given.items() if value} | {"PARTYLINE_DATA": str(data)}


def read_or_make_secrets(data):
    """SECRET_KEY and ENCRYPTION_KEY of this data folder; without the latter its secrets are lost."""
    path = data / "secrets.json"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        with private_file(data / "secrets.json.new") as file:
            key = base64.urlsafe_b64encode(os.urandom(32)).decode()
            json.dump({"SECRET_KEY": secrets.token_urlsafe(50), "ENCRYPTION_KEY": key}, file)
        (data / "secrets.json.new").replace(path)
    return json.loads(path.read_text())


def hostname_of(url):
    name = urlsplit(url).hostname or "localhost"
    return f"[{name}]" if ":" in name else name
