"""An operation as a program asks for it: in curl, and with the clients for Python and JavaScript."""

import json
import re
from urllib.parse import urlencode

# How the clients nest what they offer; an operation's id is such a path, joined by underscores.
RESOURCES = {
    "available_number": (),
    "attachments": (),
    "blocked_handles": (),
    "capability": (),
    "chats": ("background", "location", "messages", "participants", "polls", "typing"),
    "contact_card": (),
    "messages": ("poll",),
    "phone_numbers": (),
    "phonenumbers": (),
    "webhook_events": (),
    "webhook_subscriptions": (),
}
# Where the clients spell it otherwise.
SPELT = {"check_imessage": "check_i_message", "check_rcs": "check_RCS"}
TIGHT = 60


def samples(base, operation, names, query, body):
    """[(language, text)]. `names` are the parameters in the path, `query` and `body` what is said."""
    call = call_of(operation.id)
    in_python = python(call, names, query, body) if call else httpx(base, operation, names, query, body)
    in_javascript = (
        javascript(call, names, query, body) if call else fetch(base, operation, names, query, body)
    )
    return [
        ("curl", curl(base, operation, names, query, body)),
        ("Python", in_python),
        ("JavaScript", in_javascript),
    ]


def call_of(operation_id):
    """["chats", "messages", "send"] of chats_messages_send; None where the clients have no such thing."""
    for resource in sorted(RESOURCES, key=len, reverse=True):
        rest = operation_id.removeprefix(f"{resource}_")
        if rest == operation_id:
            continue
        for inner in RESOURCES[resource]:
            if rest.startswith(f"{inner}_"):
                return [resource, inner, rest.removeprefix(f"{inner}_")]
        return [resource, SPELT.get(rest, rest)]
    return None


def curl(base, operation, names, query, body):
    address = operation.path
    for name in names:
        address = address.replace(f"{{{name}}}", f"${name.upper()}")
    address = f"{base}{address}" + (f"?{urlencode(query, doseq=True)}" if query else "")
    address = f'"{address}"' if query else address
    lines = [
        f"curl {'' if operation.method in ('GET', 'POST') and (body is not None or operation.method == 'GET') else f'-X {operation.method} '}{address}"
    ]
    lines.append('-H "Authorization: Bearer $PARTYLINE_KEY"')
    if body is not None:
        said = json.dumps(body, ensure_ascii=False)
        said = said if len(said) <= TIGHT else json.dumps(body, indent=2, ensure_ascii=False)
        said = said.replace("'", "'\\''")
        lines += ['-H "Content-Type: application/json"', f"-d '{said}'"]
    return " \\\n  ".join(lines)


def python(call, names, query, body):
    *others, last = names or [None]
    said = [last] if last else []
    said += [f"{name}={name}" for name in others]
    said += [f"{keyword(name)}={written(value)}" for name, value in (query | (body or {})).items()]
    return f"from linq import LinqAPIV3\n\nlinq = LinqAPIV3()\nanswer = linq.{'.'.join(call)}({spread(said)})"


def javascript(call, names, query, body):
    *others, last = names or [None]
    given = {camel(name, "Id"): Name(camel(name)) for name in others} | query | (body or {})
    said = ([camel(last)] if last else []) + ([in_javascript(given)] if given else [])
    path = ".".join(camel(step) for step in call)
    return (
        'import LinqAPIV3 from "@linqapp/sdk"\n\nconst linq = new LinqAPIV3()\n'
        f"const answer = await linq.{path}({', '.join(said)})"
    )


def httpx(base, operation, names, query, body):
    parts = [f'"{base}{operation.path}"' if not names else f'f"{base}{operation.path}"']
    parts += [f"params={written(query)}"] if query else []
    parts += [f"json={written(body)}"] if body is not None else []
    parts.append('headers={"Authorization": f"Bearer {key}"}')
    method = operation.method.lower()
    asked = method if method != "delete" or body is None else "request"
    parts = ['"DELETE"', *parts] if asked == "request" else parts
    return f"import httpx\n\nanswer = httpx.{asked}({spread(parts)})"


def fetch(base, operation, names, query, body):
    address = operation.path
    for name in names:
        address = address.replace(f"{{{name}}}", f"${{{camel(name)}}}")
    address += f"?{urlencode(query, doseq=True)}" if query else ""
    options = [f'method: "{operation.method}"', "headers: { Authorization: `Bearer ${key}` }"]
    options += [f"body: JSON.stringify({in_javascript(body)})"] if body is not None else []
    inner = ",\n  ".join(options)
    return f"const answer = await fetch(`{base}{address}`, {{\n  {inner},\n}})"


class Name(str):
    """A name in code, not a text."""


def keyword(name):
    return f"{name}_" if name in ("from", "import", "class") else name


def camel(name, of_id="ID"):
    first, *rest = name.split("_")
    return first + "".join(of_id if word == "id" else word[:1].upper() + word[1:] for word in rest)


def spread(said):
    """On one line where there is room, else one below the other."""
    line = ", ".join(said)
    if len(line) <= TIGHT and "\n" not in line:
        return line
    inner = ",\n".join(said)
    return "\n" + "\n".join(f"    {line}" for line in inner.split("\n")) + ",\n"


def written(value, deep=0):
    """A value as Python has it."""
    if isinstance(value, dict | list) and len(repr(value)) > TIGHT:
        pad, end = "    " * (deep + 1), "    " * deep
        if isinstance(value, dict):
            items = [f"{pad}{json.dumps(name)}: {written(one, deep + 1)}," for name, one in value.items()]
            return "{\n" + "\n".join(items) + f"\n{end}}}"
        return "[\n" + "\n".join(f"{pad}{written(one, deep + 1)}," for one in value) + f"\n{end}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {written(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def in_javascript(value, deep=0):
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, dict):
        items = [
            key if isinstance(one, Name) and key == one else f"{key}: {in_javascript(one, deep + 1)}"
            for key, one in ((bare(name), one) for name, one in value.items())
        ]
        if len(", ".join(items)) <= TIGHT and "\n" not in "".join(items):
            return "{ " + ", ".join(items) + " }" if items else "{}"
        pad, end = "  " * (deep + 1), "  " * deep
        return "{\n" + ",\n".join(f"{pad}{item}" for item in items) + f",\n{end}}}"
    if isinstance(value, list):
        return "[" + ", ".join(in_javascript(one, deep) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def bare(name):
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name) else json.dumps(name)
