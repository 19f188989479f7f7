"""The effects of iMessage, by the names of V3: what they are called, and of which kind they are."""

BUBBLE = {"slam": "Slam", "loud": "Loud", "gentle": "Gentle", "invisible": "Invisible ink"}
SCREEN = {
    "confetti": "Confetti",
    "fireworks": "Fireworks",
    "lasers": "Lasers",
    "balloons": "Balloons",
    "love": "Love",
    "celebration": "Celebration",
    "spotlight": "Spotlight",
    "echo": "Echo",
}
# Other names of the carrier for the same.
SAME = {"sparkles": "celebration", "hearts": "love", "happy_birthday": "balloons"}


def effect_named(name):
    """{"type", "name"} as V3 has it; ValueError where there is no such effect."""
    if name in BUBBLE:
        return {"type": "bubble", "name": name}
    if name in SCREEN or name in SAME:
        return {"type": "screen", "name": name}
    raise ValueError(f"There is no effect “{name}”.")


def label_of(effect):
    """What people call it; "" where there is none."""
    name = SAME.get((effect or {}).get("name"), (effect or {}).get("name")) or ""
    return {**BUBBLE, **SCREEN}.get(name, name.replace("_", " ").capitalize())


def shown_as(effect):
    """(type, name) under which it is drawn."""
    name = (effect or {}).get("name") or ""
    name = SAME.get(name, name)
    return ("bubble" if name in BUBBLE else "screen" if name in SCREEN else "", name)
