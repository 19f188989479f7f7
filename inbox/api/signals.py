"""What a program lets be seen of us in a chat: dots, that it was read, who we are (contract §6.2)."""

from ninja import Router

from inbox.api import shapes
from inbox.api.access import chat_of
from lines.api.auth import sends
from partyline.problems import nothing
from partyline.shapes import answers

router = Router(tags=["Chats"])
SHOWN = answers(204, None, 404, 409)


@router.post("/chats/{chat_id}/typing", response=SHOWN, auth=sends, operation_id="chats_typing_start")
def start_typing(request, chat_id: shapes.Id):
    """Show dots for 90 seconds, or until the next message. On RCS and SMS nothing is shown."""
    chat_of(request, chat_id).signal_typing()
    return nothing()


@router.delete("/chats/{chat_id}/typing", response=SHOWN, auth=sends, operation_id="chats_typing_stop")
def stop_typing(request, chat_id: shapes.Id):
    chat_of(request, chat_id).signal_typing(ended=True)
    return nothing()


@router.post("/chats/{chat_id}/read", response=SHOWN, auth=sends, operation_id="chats_mark_as_read")
def mark_as_read(request, chat_id: shapes.Id):
    """Tell them that all was read. In groups nothing is told, nor from a line that sends no read receipts; what is
    unread for people stays so."""
    chat_of(request, chat_id).signal_reading(by=request.token.actor)
    return nothing()


@router.post(
    "/chats/{chat_id}/share_contact_card",
    response=answers(204, None, 404, 409, 429),
    auth=sends,
    operation_id="chats_share_contact_card",
)
def share_contact_card(request, chat_id: shapes.Id):
    """Offer them the line's contact card: on iMessage, after a message of ours, once in five minutes."""
    chat_of(request, chat_id).share_card(by=request.token.actor)
    return nothing()
