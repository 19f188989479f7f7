from django.urls import path

from inbox.views import chats, inbox, media, messages, start

urlpatterns = [
    path("inbox/counts/", inbox.counts, name="counts"),
    path("inbox/<slug:view>/", inbox.inbox, name="inbox"),
    path("inbox/<slug:view>/rows/", inbox.rows, name="rows"),
    path("inbox/<slug:view>/<uuid:pk>/", inbox.conversation, name="conversation"),
    path("chats/new/", start.new, name="new"),
    path("chats/new/people/", start.people, name="people-to-write"),
    path("chats/<uuid:pk>/", chats.chat, name="chat"),
    path("chats/<uuid:pk>/row/", chats.row, name="row"),
    path("chats/<uuid:pk>/head/", chats.head, name="head"),
    path("chats/<uuid:pk>/foot/", chats.foot, name="foot"),
    path("chats/<uuid:pk>/read/", chats.read, name="read"),
    path("chats/<uuid:pk>/unread/", chats.unread, name="unread"),
    path("chats/<uuid:pk>/close/", chats.close, name="close"),
    path("chats/<uuid:pk>/reopen/", chats.reopen, name="reopen"),
    path("chats/<uuid:pk>/assign/", chats.assign, name="assign"),
    path("chats/<uuid:pk>/messages/", messages.messages, name="messages"),
    path("chats/<uuid:pk>/reply/", messages.reply, name="reply"),
    path("chats/<uuid:pk>/draft/", messages.draft, name="draft"),
    path("messages/<uuid:pk>/", messages.message, name="message"),
    path("messages/<uuid:pk>/retry/", messages.retry, name="retry"),
    path("media/<uuid:pk>/<str:filename>", media.media, name="media"),
    path("media/<uuid:pk>/preview/<str:filename>", media.preview, name="preview"),
]
