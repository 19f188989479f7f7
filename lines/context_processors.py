def frame(request):
    """What the frame around every page needs."""
    return {
        "environment": getattr(request, "environment", None),
        "membership": getattr(request, "membership", None),
        "memberships": getattr(request, "memberships", []),
    }
