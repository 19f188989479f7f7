from django.urls import path

from webhooks import views

urlpatterns = [
    path("settings/webhooks/", views.receipts, name="receipts"),
    path("settings/webhooks/<int:pk>/", views.receipt, name="receipt"),
    path("settings/webhooks/<int:pk>/apply/", views.apply, name="apply-receipt"),
]
