from django.urls import path

from lines.views import sandbox

urlpatterns = [
    path("", sandbox.phones, name="sandbox"),
    path("handsets/", sandbox.new_handset, name="sandbox_new_handset"),
    path("flags/", sandbox.flag, name="sandbox_flag"),
    path("faults/", sandbox.faults, name="sandbox_faults"),
    path("media/<uuid:pk>/<str:filename>", sandbox.media, name="sandbox_media"),
    path("<int:pk>/", sandbox.one_phone, name="sandbox_phone"),
    path("<int:pk>/thread/", sandbox.thread, name="sandbox_thread"),
    path("<int:pk>/send/", sandbox.send, name="sandbox_send"),
    path("<int:pk>/photos/<uuid:media>/", sandbox.shown_photo, name="sandbox_photo"),
    path("<int:pk>/<slug:verb>/", sandbox.use, name="sandbox_use"),
]
