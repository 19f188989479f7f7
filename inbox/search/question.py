"""What somebody types into the search field, taken apart. Pure: whom a name means is found out in meaning.py."""

import re
import unicodedata
from dataclasses import dataclass, field
from uuid import UUID

from inbox.search.dates import NotADate, span_of

LENGTH, WORDS = 300, 12
CHOICES = {
    "has": ("attachment", "photo", "link", "voice"),
    "is": ("open", "snoozed", "closed", "unread", "unassigned", "mine", "group"),
}
HELP = {
    "from": "Needs a name, a number or me, as in from:me or from:“Ana Ferreira”",
    "line": "Needs the name of a line, as in line:Workshop",
    "label": "Needs the name of a label, as in label:Warranty",
    "assigned": "Needs the name of a colleague, as in assigned:“Ana Ferreira”",
    "in": "Needs a conversation: open one and choose Search in this conversation",
    "has": "Is one of has:attachment, has:photo, has:link and has:voice",
    "is": "Is one of is:open, is:snoozed, is:closed, is:unread, is:unassigned, is:mine and is:group",
    "before": "Needs a day, as in before:2026-11-24 or before:yesterday",
    "after": "Needs a day, as in after:2026-11-24 or after:“24 Nov”",
    "on": "Needs a day or a month, as in on:2026-11-24 or on:2026-11",
}
DATES = ("before", "after", "on")
# What may stand before a colon and is no filter.
SCHEMES = ("http", "https", "tel", "mailto", "sms", "imessage", "ftp")
QUOTES = str.maketrans("“”„«»", '"""""')
TOKEN = re.compile(r'(?:(?P<name>[^\W\d_]+):)?(?:"(?P<quoted>[^"]*)(?:"|$)|(?P<plain>[^\s"]+)|(?<=:))')
WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Filter:
    name: str
    value: str

    def __str__(self):
        """As it is typed."""
        return f'{self.name}:"{self.value}"' if re.search(r"\s", self.value) else f"{self.name}:{self.value}"


@dataclass(frozen=True)
class Term:
    """Words that stand next to each other; the last word of the last term may go on."""

    words: tuple
    goes_on: bool = False


@dataclass
class Question:
    typed: str
    terms: list = field(default_factory=list)
    filters: list = field(default_factory=list)
    # Sentences; where there is one, nothing is searched.
    problems: list = field(default_factory=list)
    # Without its filters, as it was typed.
    words: str = ""

    def __bool__(self):
        return bool(self.terms or self.filters)

    @property
    def letters(self):
        """What may be a piece of a name or a number."""
        return " ".join(word for term in self.terms for word in term.words)

    def of(self, name):
        return [filter.value for filter in self.filters if filter.name == name]

    def __str__(self):
        return self.with_words(self.filters)

    def without(self, filter):
        """What is typed when one filter is taken away."""
        return self.with_words(other for other in self.filters if other != filter)

    def with_words(self, filters):
        # Filters first: a quotation mark that nobody closed reaches to the end.
        return " ".join([*map(str, filters), self.words]).strip()

    def spans(self, *, now):
        """(from, to) of all dates together, either of which may be None. `now` is in the reader's zone."""
        since = until = None
        for name in DATES:
            for value in self.of(name):
                first, last = span_of(value, now=now)
                if name != "before":
                    bound = last if name == "after" else first
                    since = max(since, bound) if since else bound
                if name != "after":
                    bound = first if name == "before" else last
                    until = min(until, bound) if until else bound
        return since, until


def ask(typed, *, now):
    """The Question in `typed`; whatever it is, this does not raise."""
    typed = unicodedata.normalize("NFC", typed.replace("\x00", " ")).strip()
    question = Question(typed)
    if len(typed) > LENGTH:
        question.problems.append(f"That is longer than {LENGTH} letters. Search for a few words of it.")
        return question
    said = []
    for match in TOKEN.finditer(typed.translate(QUOTES)):
        name, value = (match["name"] or "").lower(), match["quoted"] or match["plain"] or ""
        # “Note: she rides on Sundays” names no filter.
        if name in HELP or (name and value and name not in SCHEMES):
            take_filter(question, name, value.strip(), now)
            continue
        if match[0]:
            said.append(match[0])
        if words := tuple(WORD.findall(match[0])):
            question.terms.append(Term(words))
    question.words = " ".join(said)
    if sum(len(term.words) for term in question.terms) > WORDS:
        question.problems.append(f"Those are more than {WORDS} words. Leave some out.")
    elif said and not question.terms:
        question.problems.append("There is no letter or number in that, so nothing can be found by it.")
    # A word in quotation marks is whole.
    if question.terms and not said[-1].endswith('"'):
        question.terms[-1] = Term(question.terms[-1].words, goes_on=True)
    return question


def take_filter(question, name, value, now):
    problem = problem_with(name, value, now)
    if problem:
        question.problems.append(problem)
    elif Filter(name, value) not in question.filters:
        question.filters.append(Filter(name, value))


def problem_with(name, value, now):
    """A sentence, or None."""
    if name not in HELP:
        return f"There is no filter {name}:. To look for the words themselves, put them in quotation marks."
    if not value:
        return f"{name}: {HELP[name][0].lower()}{HELP[name][1:]}."
    if name in CHOICES and value.lower() not in CHOICES[name]:
        return f"{name}:{value} means nothing here. It {HELP[name][0].lower()}{HELP[name][1:]}."
    if name in DATES:
        try:
            span_of(value, now=now)
        except NotADate:
            return f"“{value}” is no day. Write it as 2026-11-24, “24 Nov” or yesterday."
    if name == "in" and not is_id(value):
        return f"in: {HELP['in'][0].lower()}{HELP['in'][1:]}."
    return None


def is_id(text):
    try:
        return bool(UUID(text))
    except ValueError:
        return False
