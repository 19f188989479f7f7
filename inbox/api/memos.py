"""Voice memos (contract §6.2)."""

from ninja import Router

from inbox.api import shapes
from inbox.api.access import chat_of
from inbox.api.contents import Files
from inbox.api.schemas import MemoAnswer, MemoSent
from inbox.api.sending import answer_of, send_once
from inbox.models.content import Content
from lines.api.auth import sends

router = Router(tags=["Messages"], by_alias=True)


def content_of(request, data, *, frees_link=False):
    file = Files(request).one(data.attachment_id, data.voice_memo_url)
    return Content([{"attachment": file}], is_voice_memo=True, overrides_opt_out=data.override_optout)


@router.post(
    "/chats/{chat_id}/voicememo",
    response={202: MemoAnswer},
    auth=sends,
    operation_id="chats_send_voicememo",
)
def send_voice_memo(request, chat_id: shapes.Id, data: MemoSent):
    """A sound of 10 MB at most, alone: MP3, M4A, AAC, CAF, WAV, AIFF or AMR."""
    chat = chat_of(request, chat_id)
    message = send_once(request, data, where=str(chat.pk), place=lambda content: chat, make=content_of)
    message.chat = chat
    return answer_of(message, {"voice_memo": shapes.memo(chat, message)}, 202)
