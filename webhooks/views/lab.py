"""API → signatures: paste what reached a program, and see which step or byte is wrong. Nothing is kept."""

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from lines.shortcuts import admin_of
from webhooks.lab import examine, headers_in
from webhooks.views.deliveries import content_of

MOST_HEADERS = 20_000
PASTED, CARRIER = "", "carrier"
SUBSCRIPTIONS = 100
LOOKED_AT = 20
IN_CODE = [
    (
        "Python",
        """# pip install standardwebhooks
from standardwebhooks import Webhook

def hook(request):
    # the bytes, not the text
    event = Webhook(SECRET).verify(request.body, request.headers)""",
    ),
    (
        "JavaScript",
        """// npm install standardwebhooks
import { Webhook } from "standardwebhooks"

app.post("/hooks", express.raw({ type: "*/*" }), (request, response) => {
  // the bytes, not what express.json() makes of them
  const event = new Webhook(SECRET).verify(request.body, request.headers)
  response.sendStatus(204)
})""",
    ),
    (
        "Shell",
        """key=$(printf %s "${SECRET#whsec_}" | base64 -d | xxd -p -c 256)
{ printf %s "$ID.$TIMESTAMP."; cat body.json; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64""",
    ),
]


class LabForm(forms.Form):
    headers = forms.CharField(
        max_length=MOST_HEADERS,
        strip=False,
        error_messages={"required": "Paste the headers that came with it: the signature is one of them."},
    )
    body = forms.CharField(
        max_length=settings.WEBHOOK_MAX_BYTES,
        strip=False,
        required=False,
    )
    signer = forms.CharField(max_length=40, required=False)
    secret = forms.CharField(max_length=500, required=False, strip=False)

    def __init__(self, *args, environment, **kwargs):
        super().__init__(*args, **kwargs)
        self.environment = environment

    def clean_body(self):
        # Browsers send every line break of a field as CR LF.
        return self.cleaned_data["body"].replace("\r\n", "\n").encode()

    def clean_headers(self):
        headers = headers_in(self.cleaned_data["headers"])
        if not headers:
            raise forms.ValidationError("One header to a line, its name, a colon and its value.")
        return headers

    def clean(self):
        said = super().clean()
        said["secrets"] = self.secrets_of(said.get("signer", ""), said.get("secret", ""))
        if not said["secrets"]:
            self.add_error("secret", "Choose whose webhook it is, or paste its secret.")
        return said

    def secrets_of(self, signer, pasted):
        if signer == PASTED:
            return [pasted] if pasted.strip() else []
        if signer == CARRIER:
            return [self.environment.signing_secret]
        chosen = [one for one in subscriptions_of(self.environment) if str(one.pk) == signer]
        return [secret.secret for one in chosen for secret in one.secrets.order_by("-created_at")]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("headers", "body", "secret")
def lab(request):
    environment = admin_of(request)
    if request.method != "POST":
        return page(request, environment, form=LabForm(environment=environment, initial=pasted(request)))
    form = LabForm(request.POST, environment=environment)
    if not form.is_valid():
        return page(request, environment, form=form, status=422)
    said = form.cleaned_data
    return page(
        request, environment, form=form, findings=examine(said["headers"], said["body"], said["secrets"])
    )


def pasted(request):
    """What a link brings along: a receipt that is to be checked, or the last attempt at a delivery."""
    environment = admin_of(request)
    if pk := number_in(request, "receipt"):
        receipt = get_object_or_404(environment.receipts, pk=pk)
        return {"headers": lines_of(receipt.headers), "body": receipt.body, "signer": CARRIER}
    if pk := number_in(request, "delivery"):
        delivery = get_object_or_404(
            environment.deliveries.select_related("subscription", "environment"), pk=pk
        )
        attempt = delivery.attempts.last()
        headers = lines_of(attempt.request_headers) if attempt else ""
        body = content_of(delivery).decode()
        return {"headers": headers, "body": body, "signer": str(delivery.subscription_id)}
    return {}


def number_in(request, name):
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def lines_of(headers):
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def subscriptions_of(environment):
    return environment.subscriptions.existing().newest_first()[:SUBSCRIPTIONS]


def last_of(environment):
    """The newest receipt that came with headers, among the newest; some are made by the demo."""
    newest = environment.receipts.order_by("-pk").values_list("pk", "headers")[:LOOKED_AT]
    return next((pk for pk, headers in newest if headers), None)


def page(request, environment, *, form, findings=(), status=200):
    context = {
        "form": form,
        "findings": findings,
        "subscriptions": subscriptions_of(environment),
        "last": last_of(environment),
        "in_code": IN_CODE,
    }
    template = "api/lab.html" + ("#findings" if request.htmx else "")
    return render(request, template, context, status=status)
