def environment(get_response):
    """request.environment: the one that the person works in, or None; request.membership: what they are there."""

    def middleware(request):
        request.environment = request.membership = None
        request.memberships = []
        # Those who ask whether we are alive must not need the database.
        if request.path not in ("/healthz", "/readyz") and request.user.is_authenticated:
            memberships = request.user.memberships.select_related("environment").order_by(
                "environment__created_at"
            )
            chosen = request.session.get("environment")
            memberships = list(memberships)
            request.memberships = memberships
            request.membership = next(
                (m for m in memberships if str(m.environment_id) == chosen),
                memberships[0] if memberships else None,
            )
            request.environment = request.membership and request.membership.environment
        return get_response(request)

    return middleware
