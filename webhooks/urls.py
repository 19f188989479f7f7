from django.urls import path

from webhooks.views import lab, overview, receipts

urlpatterns = [
    path("api/", overview.overview, name="api"),
    path("api/signatures/", lab.lab, name="signatures"),
    path("settings/webhooks/", receipts.receipts, name="receipts"),
    path("settings/webhooks/<int:pk>/", receipts.receipt, name="receipt"),
    path("settings/webhooks/<int:pk>/apply/", receipts.apply, name="apply-receipt"),
]
