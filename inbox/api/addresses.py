"""Addresses and lists of them, as programs write them."""

from typing import Annotated

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, Field, StringConstraints

from inbox.models.contact import E164
from lines.api.schemas import E164 as Number
from partyline.problems import Problem

MOST = 31


def handle_in(text):
    """A phone number in E.164 as it is, an e-mail address in lower case; else ValueError."""
    if E164.fullmatch(text):
        return text
    try:
        validate_email(text)
    except ValidationError as error:
        raise ValueError("that is no phone number in E.164 (+12025550123) and no e-mail address") from error
    return text.lower()


Handle = Annotated[str, StringConstraints(max_length=254), AfterValidator(handle_in)]
Handles = Annotated[list[Handle], Field(min_length=1, max_length=MOST)]


def listed(values):
    """The values of a parameter that is given several times, or once with commas."""
    return [one.strip() for value in values for one in value.split(",") if one.strip()]


def handles_in(values, name):
    """Handles, each once, in their order; a Problem where one of them is none."""
    return checked(values, name, handle_in)


def numbers_in(values, name):
    return checked(values, name, number_in)


def number_in(text):
    if not E164.fullmatch(text):
        raise ValueError("that is no phone number in E.164 (+12025550123)")
    return text


def checked(values, name, check):
    try:
        return list(dict.fromkeys(check(value) for value in listed(values)))
    except ValueError as error:
        raise Problem(1002, f"{name}: {error}.") from error


__all__ = ["Handle", "Handles", "Number", "handle_in", "handles_in", "listed", "numbers_in"]
