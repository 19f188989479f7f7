def frame(request):
    """What the frame around every page needs."""
    theme = request.COOKIES.get("theme", "")
    return {
        "environment": getattr(request, "environment", None),
        "membership": getattr(request, "membership", None),
        "memberships": getattr(request, "memberships", []),
        "theme": theme if theme in ("light", "dark") else "",
    }
