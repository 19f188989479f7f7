"""API → trace: paste any id, and see one timeline."""

import json

from django.contrib.auth.decorators import login_required
from django.shortcuts import render

from inbox.shortcuts import words_in
from lines.shortcuts import admin_of
from webhooks.tracing import LANES, story_of


@login_required
def trace(request):
    environment = admin_of(request)
    story = story_of(words_in(request)[:255], environment)
    lane = request.GET.get("show", "")
    context = {
        "story": story,
        "lane": lane,
        "lanes": LANES,
        "steps": [step for step in story.steps if not lane or step.lane == lane],
        "link": request.build_absolute_uri(request.get_full_path()),
    }
    if story.steps:
        context["bundle"] = json.dumps(story.bundle(environment), indent=2, ensure_ascii=False)
    return render(request, "api/trace.html", context)
