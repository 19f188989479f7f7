from django.http import Http404


def admin_of(request):
    """The environment that the person administers. Everybody else must not even learn that the page exists."""
    if request.membership is None or not request.membership.is_admin:
        raise Http404("Not an admin here")
    return request.environment
