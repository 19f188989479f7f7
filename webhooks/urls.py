from django.urls import path

from webhooks.views import deliveries, lab, overview, receipts, retention, subscriptions, trace

urlpatterns = [
    path("api/", overview.overview, name="api"),
    path("api/subscriptions/", subscriptions.subscriptions, name="subscriptions"),
    path("api/subscriptions/new/", subscriptions.new, name="new-subscription"),
    path("api/subscriptions/<uuid:pk>/", subscriptions.subscription, name="subscription"),
    path("api/subscriptions/<uuid:pk>/test/", subscriptions.test, name="test-subscription"),
    path("api/subscriptions/<uuid:pk>/rotate/", subscriptions.rotate, name="rotate-secret"),
    path("api/subscriptions/<uuid:pk>/enable/", subscriptions.enable, name="enable-subscription"),
    path("api/subscriptions/<uuid:pk>/disable/", subscriptions.disable, name="disable-subscription"),
    path("api/subscriptions/<uuid:pk>/delete/", subscriptions.delete, name="delete-subscription"),
    path("api/deliveries/", deliveries.deliveries, name="deliveries"),
    path("api/deliveries/recover/", deliveries.recover, name="recover-deliveries"),
    path("api/deliveries/export.csv", deliveries.export, name="export-deliveries"),
    path("api/deliveries/<int:pk>/", deliveries.delivery, name="delivery"),
    path("api/deliveries/<int:pk>/resend/", deliveries.resend, name="resend"),
    path("api/trace/", trace.trace, name="trace"),
    path("api/signatures/", lab.lab, name="signatures"),
    path("settings/webhooks/", receipts.receipts, name="receipts"),
    path("settings/webhooks/<int:pk>/", receipts.receipt, name="receipt"),
    path("settings/webhooks/<int:pk>/apply/", receipts.apply, name="apply-receipt"),
    path("settings/retention/", retention.retention, name="retention"),
    path("settings/retention/change/", retention.change, name="change-retention"),
]
