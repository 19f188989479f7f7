"""Where people are who share it (contract §6.10)."""

from datetime import datetime
from typing import Literal

from ninja import Router
from pydantic import BaseModel

from inbox.api import shapes
from inbox.api.access import chat_of
from inbox.api.addresses import Handle
from lines.api.auth import reads, sends
from partyline.problems import Problem, answer
from partyline.shapes import answers

router = Router(tags=["Location"])


class Point(BaseModel):
    type: Literal["Point"]
    coordinates: list[float]


class Place(BaseModel):
    handle: str
    address: str | None = None
    locality: str | None = None
    updated_at: datetime | None = None


class Feature(BaseModel):
    type: Literal["Feature"]
    geometry: Point
    properties: Place


class Features(BaseModel):
    type: Literal["FeatureCollection"]
    features: list[Feature]


class Located(BaseModel):
    success: Literal[True]
    data: Features


class Done(BaseModel):
    success: Literal[True]
    message: str


class Sharer(BaseModel):
    handle: Handle


@router.get(
    "/chats/{chat_id}/location",
    response=answers(200, Located, 404),
    auth=reads,
    operation_id="chats_location_retrieve",
)
def retrieve(request, chat_id: shapes.Id):
    """Where those are now who share it, as GeoJSON. The carrier is asked once in half a minute at most."""
    found = chat_of(request, chat_id).locate(by=request.token.actor)
    features = [feature(share) for share in found]
    return answer({"success": True, "data": {"type": "FeatureCollection", "features": features}})


@router.post(
    "/chats/{chat_id}/location/request",
    response=answers(200, Done, 404, 409, 429),
    auth=sends,
    operation_id="chats_location_request",
)
def ask(request, chat_id: shapes.Id):
    """Ask somebody to share their location: one person on iMessage, once in five minutes."""
    chat_of(request, chat_id).ask_location(by=request.token.actor)
    return answer({"success": True, "message": "Location request sent"})


@router.delete(
    "/chats/{chat_id}/location",
    response=answers(202, Done, 404, 409),
    auth=sends,
    operation_id="chats_location_stop",
)
def stop(request, chat_id: shapes.Id, data: Sharer):
    """End what somebody shares, in every chat with them; location.sharing.stopped tells when it is over."""
    if chat_of(request, chat_id).stop_location(data.handle, by=request.token.actor) is None:
        raise Problem(1005, "handle: they are not sharing their location.", status=404)
    return answer({"success": True, "message": "Location stop requested"}, 202)


def feature(share):
    place = share.place
    said = {name: place[name] for name in ("address", "locality", "updated_at") if place.get(name)}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [place["longitude"], place["latitude"]]},
        "properties": {"handle": share.handle.value} | said,
    }
