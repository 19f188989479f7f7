"""Values that stand for what people would send and get, by what the schema says and by what a field is called."""

import json

OURS, THEIRS = "+12025550100", "+14155550123"
NAMED = {
    "from": OURS,
    "phone_number": OURS,
    "to": THEIRS,
    "handle": THEIRS,
    "address": THEIRS,
    "value": "Your bike is ready",
    "text": "Saturday at noon",
    "display_name": "Sunday Gravel Crew",
    "first_name": "Fairwheel",
    "last_name": "Cycles",
    "idempotency_key": "order-4471-ready",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "filename": "bike.jpg",
    "content_type": "image/jpeg",
    "mime_type": "image/jpeg",
    "target_url": "https://crm.example.com/hooks",
    "service": "iMessage",
}
VARIED = ("text", "value")
BY_FORMAT = {
    "uuid": "019ab2f4-6c1e-7a0e-9c3f-0a1b2c3d4e01",
    "date-time": "2026-11-26T09:15:02Z",
    "date": "2026-11-26",
    "uri": "https://crm.example.com/bike.jpg",
}
BY_TYPE = {"integer": 1, "number": 1, "boolean": True, "object": {}, "null": None}


def value(schema, name=""):
    for said in (
        schema.get("example"),
        *schema.get("examples", ())[:1],
        schema.get("const"),
        *schema.get("enum", ())[:1],
    ):
        if said is not None:
            return said
    kind = schema.get("type")
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    if kind == "string":
        if str(schema.get("pattern", "")).startswith("^\\+"):
            return NAMED.get(name, THEIRS)
        return NAMED.get(name) or ("https://crm.example.com" if name.endswith("url") else "…")
    if kind in ("integer", "number"):
        return max(schema.get("minimum", BY_TYPE[kind]), 0)
    return BY_TYPE.get(kind, "…")


def another(said, number):
    """One of several: people do not offer the same twice."""
    if isinstance(said, dict):
        return {name: another(one, number) if name in VARIED else one for name, one in said.items()}
    return f"{said}, {number + 1}" if number and isinstance(said, str) else said


def as_json(said):
    return json.dumps(said, indent=2, ensure_ascii=False)
