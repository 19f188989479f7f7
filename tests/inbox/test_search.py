"""Search: what is typed, what it finds, whom it finds it for, and how it is shown."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from inbox.models import Attachment, Chat, ChatRead, Handle, Note, Part, Participant
from inbox.search import messages
from inbox.search.dates import NotADate, span_of
from inbox.search.highlights import excerpt, marked, plain, spots_in
from inbox.search.question import HELP, Term, ask
from tests.conftest import CARL, DORA
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
PAGE = reverse("search")


@pytest.fixture
def search(client_of):
    def search(user, typed, **more):
        return client_of(user).get(PAGE, {"q": typed} | more)

    return search


@pytest.fixture
def said(search):
    """The messages and notes that somebody finds, newest first."""

    def said(user, typed, **more):
        return [hit.pk for group in search(user, typed, **more).context["groups"] for hit in group.hits]

    return said


def problems(response):
    return response.context["meaning"].problems


def asked(typed):
    return ask(typed, now=NOW)


class TestTheQuestion:
    @pytest.mark.parametrize(
        ("typed", "terms", "filters"),
        [
            ("wheel", [Term(("wheel",), True)], []),
            ("rear  wheel", [Term(("rear",)), Term(("wheel",), True)], []),
            ('"rear wheel"', [Term(("rear", "wheel"))], []),
            ("“rear wheel” whe", [Term(("rear", "wheel")), Term(("whe",), True)], []),
            ('from:"Ana Ferreira" wheel', [Term(("wheel",), True)], ["from:Ana Ferreira"]),
            ("wheel is:open has:photo", [Term(("wheel",), True)], ["is:open", "has:photo"]),
            ("is:open is:open", [], ["is:open"]),
            ("at 10:30", [Term(("at",)), Term(("10", "30"), True)], []),
            ("https://a.example/b", [Term(("https", "a", "example", "b"), True)], []),
            ("Note: hello", [Term(("Note",)), Term(("hello",), True)], []),
        ],
    )
    def test_is_taken_apart(self, typed, terms, filters):
        question = asked(typed)

        assert question.problems == []
        assert question.terms == terms
        assert [f"{one.name}:{one.value}" for one in question.filters] == filters

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("colour:blue", "There is no filter colour:"),
            ("from:", "from: needs a name"),
            ("before:soon", "“soon” is no day"),
            ("on:2026-02-30", "“2026-02-30” is no day"),
            ("is:blue", "is:blue means nothing here"),
            ("has:wheels wheel", "has:wheels means nothing here"),
            ("label:", "label: needs the name of a label"),
            ("in:elsewhere", "in: needs a conversation"),
            ("👍", "no letter or number"),
            ("x" * 400, "longer than 300 letters"),
            ("a b c d e f g h i j k l m", "more than 12 words"),
        ],
    )
    def test_says_what_it_does_not_understand(self, typed, sentence):
        assert [problem for problem in asked(typed).problems if sentence in problem]

    @settings(max_examples=300)
    @given(
        st.text()
        | st.lists(st.sampled_from([*(f"{name}:" for name in HELP), '"', "x", " ", "é", "'", "-", "\\"])).map(
            "".join
        )
    )
    @example('from:"')
    @example("\x00")
    def test_never_breaks_and_no_filter_becomes_a_word(self, typed):
        question = asked(typed)

        for filter in question.filters:
            assert filter.name in HELP
        for term in question.terms:
            assert term.words
            assert all(word.isalnum() for word in term.words)
        assert not re.search(rf"(?:^|\s)({'|'.join(HELP)}):\w", question.words) or '"' in question.words

    @settings(max_examples=200)
    @given(st.text(alphabet="ab: \"'éß-", max_size=30))
    def test_what_is_written_back_means_the_same(self, typed):
        once = asked(typed)
        if not once.problems:
            again = asked(str(once))
            assert (again.terms, again.filters) == (once.terms, once.filters)

    @pytest.mark.parametrize(
        ("typed", "first", "following"),
        [
            ("2026-11-24", "2026-11-24", "2026-11-25"),
            ("2026-12", "2026-12-01", "2027-01-01"),
            ("24 Nov", "2026-11-24", "2026-11-25"),
            ("Nov 24", "2026-11-24", "2026-11-25"),
            ("26 november", "2025-11-26", "2025-11-27"),
            ("24th Nov 2024", "2024-11-24", "2024-11-25"),
            ("24.11.", "2026-11-24", "2026-11-25"),
            ("29 feb", "2024-02-29", "2024-03-01"),
            ("May", "2026-05-01", "2026-06-01"),
            ("today", "2026-11-25", "2026-11-26"),
            ("Yesterday", "2026-11-24", "2026-11-25"),
            ("monday", "2026-11-23", "2026-11-24"),
            ("wed", "2026-11-25", "2026-11-26"),
        ],
    )
    def test_days(self, typed, first, following):
        assert [moment.date().isoformat() for moment in span_of(typed, now=NOW)] == [first, following]

    @settings(max_examples=200)
    @given(st.text(alphabet="0123456789-. novjaemyrthsd", max_size=16))
    def test_what_is_no_day_is_nothing_else(self, typed):
        try:
            first, following = span_of(typed, now=NOW)
        except NotADate:
            return
        assert first < following
        assert first.tzinfo is not None


class TestHighlights:
    def test_are_found_without_accents_and_capitals(self):
        terms = asked("strasse cafe").terms

        assert marked("Cafés in der Straße", terms) == "<mark>Café</mark>s in der <mark>Straße</mark>"
        assert marked("Café, Straße", asked('"cafe"').terms) == "<mark>Café</mark>, Straße"
        assert marked("Die Straßen", asked("strasse").terms) == "Die <mark>Straße</mark>n"

    def test_words_in_quotation_marks_are_whole(self):
        assert "<mark>" not in marked("Your wheels", asked('"wheel"').terms)
        assert marked("The rear, wheel!", asked('"rear wheel"').terms) == "The <mark>rear, wheel</mark>!"

    @settings(max_examples=200)
    @given(st.text(), st.text(min_size=1))
    @example("<script>alert(1)</script> <mark>", "script")
    @example("ßßß", "s")
    @example("İstanbul ﬁn", "i")
    def test_nothing_is_lost_and_nothing_is_let_through(self, text, typed):
        html = marked(text, asked(typed).terms)
        bare = html.replace("<mark>", "").replace("</mark>", "")

        assert "<" not in bare
        assert ">" not in bare
        spots = spots_in(text, asked(typed).terms)
        assert html.count("<mark>") == len(spots)
        assert all(0 <= start < end <= len(text) for start, end in spots)

    def test_a_long_text_is_shown_round_what_was_found(self):
        text = "before " * 80 + "the wheel " + "behind " * 80
        shown = excerpt(text, asked("wheel").terms)

        assert "the wheel behind" in shown
        assert len(shown) < 240
        assert shown[0] == shown[-1] == "…"

    @given(st.text())
    def test_every_letter_has_its_place(self, text):
        letters, places = plain(text)

        assert len(places) == len(letters) + 1
        assert list(places) == sorted(places)


class TestFinding:
    @pytest.mark.parametrize("typed", ["blue", "BLU", "stock blue", '"blue one"', "bl\u00fce"])
    def test_words_in_any_order_and_beginnings_of_the_last(self, said, ana, chat, typed):
        assert said(ana, typed) == [chat.messages.get().pk]

    @pytest.mark.parametrize("typed", ["lue", '"blu"', '"one blue"', "blue green", "blu one"])
    def test_what_was_not_said(self, said, ana, chat, typed):
        assert said(ana, typed) == []

    @pytest.mark.parametrize(
        ("text", "typed"),
        [
            ("Schöne Grüße aus der Straße", "strasse grusse"),
            ("¿Cuándo llega el niño?", "nino cuando"),
            ("Écoute, l’été arrive", "ete"),
            ("see rear-wheel.jpg", "wheel"),
            ("write to nora@fairwheel.example", "fairwheel"),
            ("https://fairwheel.example/orders/88?x=1", "orders"),
            ("Москва слезам не верит", "москва"),
            ("costs 3.50 now", "3.50"),
            ("O'Brien's bike", "o'brien"),
        ],
    )
    def test_languages_and_what_is_glued_together(self, said, ana, chat, make_message, text, typed):
        wanted = make_message(chat, text)

        assert said(ana, typed) == [wanted.pk]

    def test_newest_first_by_conversation_and_page_by_page(
        self, search, said, ana, shop, make_chat, make_message
    ):
        chats = [make_chat(shop, f"+1415555{number:04}") for number in range(3)]
        everything = [
            make_message(chats[number % 3], "wheel", ago=number * 60).pk
            for number in range(messages.PAGE + 15)
        ]
        first = search(ana, "wheel")
        more = said(ana, "wheel", before=first.context["more"])

        assert [group.chat.pk for group in first.context["groups"]] == [chat.pk for chat in chats]
        assert "The newest 30 messages, in 3 conversations, newest first" in first.content.decode()
        hits = [hit.pk for group in first.context["groups"] for hit in group.hits]
        assert sorted(hits) == sorted(everything[: messages.PAGE])
        assert sorted(more) == sorted(everything[messages.PAGE :])
        assert search(ana, "wheel", before="nonsense").status_code == 404

    def test_what_lies_behind_the_walk_is_found_by_the_index(
        self, said, ana, chat, make_message, monkeypatch
    ):
        monkeypatch.setattr(messages, "WALK", 2)
        old = make_message(chat, "A wheel of old", ago=9000)
        note = Note.objects.create(chat=chat, author=ana, text="Her wheel is here")
        for number in range(5):
            make_message(chat, f"No. {number}", ago=number)
            Note.objects.create(chat=chat, author=ana, text=f"No. {number}")

        assert said(ana, "wheel") == [note.pk, old.pk]
        assert said(ana, "wheel from:Carl") == [old.pk]
        assert said(ana, f"wheel in:{chat.pk}") == [note.pk, old.pk]
        assert said(ana, "wheel is:open") == [note.pk, old.pk]
        assert said(ana, "wheel is:closed") == []

    def test_notes_are_found_with_who_wrote_them(self, search, ana, ben, chat):
        Note.objects.create(chat=chat, author=ben, text="Deep section wheels, tubeless")
        Note.objects.create(chat=chat, author=ben, text="A wheel, deleted", deleted_at=timezone.now())
        html = search(ana, "wheel").content.decode()

        assert "Deep section <mark>wheel</mark>s" in html
        assert re.search(r"<b>Note</b> by <by-line[^>]*>Ben</by-line>", html)
        assert "deleted" not in html

    def test_deleted_messages_are_not_found(self, said, ana, chat):
        message = chat.messages.get()
        message.delete_here(by=ana)
        assert said(ana, "blue") == []
        message.purge()
        assert said(ana, "blue") == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT words FROM inbox_part WHERE message_id = %s", [message.pk])
            assert cursor.fetchall() == [("",)]

    def test_an_edited_text_is_found_by_what_it_says_now(self, said, ana, chat):
        Part.objects.filter(message__chat=chat).update(text="Is the red one still in stock?")

        assert said(ana, "blue") == []
        assert said(ana, "red") == [chat.messages.get().pk]

    def test_files_are_found_by_pieces_of_their_names(self, search, said, ana, chat, photo):
        assert said(ana, "rear-whe") == said(ana, "eel") == [chat.messages.get().pk]
        assert "rear-<mark>wheel</mark>.png" in search(ana, "wheel").content.decode()

    def test_parts_know_their_line_whoever_writes_them(self, chat):
        assert Part.objects.get(message__chat=chat).line_id == chat.line_id


@pytest.fixture
def photo(chat, environment):
    attachment = Attachment(
        environment=environment, filename="rear-wheel.png", mime_type="image/png", size=5, state="stored"
    )
    attachment.file.save("bike.png", ContentFile(b"bytes"), save=False)
    attachment.save()
    message = chat.messages.oldest_first().first()
    Part.objects.create(message=message, index=1, kind="media", attachment=attachment)
    return attachment


class TestFilters:
    @pytest.fixture(autouse=True)
    def scene(self, chat, ana, ben, shop, make_chat, make_message):
        self.carl = chat
        self.group = make_chat(shop, CARL, DORA, name="Dora", assignee=ben)
        self.closed = make_chat(shop, DORA, status="closed", assignee=ana)
        self.asked = chat.messages.get()
        self.told = make_message(chat, "The blue one is here", author=ana, ago=50)
        self.old = make_message(self.closed, "A blue bell, https://bells.example", ago=10 * 86_400)
        self.crew = make_message(self.group, "Blue for all", author=ben, ago=40)
        ChatRead.objects.create(chat=self.group, user=ana, is_unread=True)

    def found(self, said, user, filters):
        return {
            pk: name for name in ("asked", "told", "old", "crew") for pk in [getattr(self, name).pk]
        }, said(user, f"{filters} blue")

    @pytest.mark.parametrize("words", ["", " blue"])
    @pytest.mark.parametrize(
        ("filters", "wanted"),
        [
            ("from:me", "told"),
            ("from:Ben", "crew"),
            ("from:carl", "asked"),
            ("from:+14155550123", "asked"),
            ("from:415-555-0188", "old"),
            ("has:link", "old"),
            ("is:closed", "old"),
            ("is:mine from:me", ""),
            ("is:group", "crew"),
            ("is:unread", "crew"),
            ("is:unassigned", "told asked"),
            ("is:open from:ben", "crew"),
            ("line:shop", "crew told asked old"),
            ("before:yesterday", "old"),
            ("after:yesterday", "crew told asked"),
            ("after:2000-01", "crew told asked old"),
            ("on:1999-12", ""),
            ("has:photo", ""),
        ],
    )
    def test_each_finds_what_its_name_says(self, said, ana, filters, wanted, words):
        # Midnight is between them a minute after it; then yesterday is another day.
        if timezone.localtime() < timezone.localtime().replace(hour=0, minute=2, second=0):
            pytest.skip("A minute after midnight")
        names = {getattr(self, name).pk: name for name in ("asked", "told", "old", "crew")}

        assert [names[pk] for pk in said(ana, filters + words)] == wanted.split()

    def test_files(self, said, ana, photo):
        for kind in ("photo", "attachment"):
            assert said(ana, f"has:{kind}") == [self.asked.pk]
        Attachment.objects.update(mime_type="audio/amr")
        assert said(ana, "has:voice") == said(ana, "has:voice blue") == [self.asked.pk]

    def test_within_a_conversation_whose_name_stands_on_the_chip(self, search, said, ana):
        assert said(ana, f"in:{self.carl.pk} blue") == [self.told.pk, self.asked.pk]
        html = search(ana, f"in:{self.carl.pk} blue").content.decode()
        assert 'in: <b class="truncate">Carl</b>' in html

    def test_a_chip_takes_its_filter_away_and_a_click_less_is_offered(self, search, ana):
        response = search(ana, 'line:"Shop" is:closed nothing')
        chips = {chip["name"]: chip["without"] for chip in response.context["chips"]}

        assert parse_qs(urlsplit(chips["line"]).query) == {"q": ["is:closed nothing"]}
        html = response.content.decode()
        assert "No message or note that you see says “nothing”" in html
        assert "Search without is: closed" in html

    def test_filters_stand_beside_the_field(self, search, ana):
        response = search(ana, "blue", **{"with": "is:open "})

        assert response.context["here"] == f"{PAGE}?q=is%3Aopen+blue"
        assert 'name="q" value="blue"' in response.content.decode()

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("line:Nowhere blue", "You see no line of the name “Nowhere”."),
            ("from:Zebulon blue", "Nobody here is called “Zebulon”."),
            (f"in:{uuid4()} blue", "is not there, or not yours to see"),
            ("colour:blue", "There is no filter colour:"),
        ],
    )
    def test_what_is_not_understood_is_said_and_nothing_is_found(self, search, ana, typed, sentence):
        response = search(ana, typed)

        assert sentence in response.content.decode().replace("&#x27;", "'")
        assert response.context["groups"] == response.context["people"] == []

    def test_a_name_of_too_many_is_not_searched_by(self, search, ana, environment, monkeypatch):
        monkeypatch.setattr("inbox.search.meaning.NAMESAKES", 1)
        for number in range(2):
            handle = Handle.objects.create(environment=environment, value=f"+1415000{number:04}")
            handle.contact = environment.contacts.create(first_name="Smith")
            handle.save()

        assert problems(search(ana, "from:smith")) == [
            "More than 1 people are called “smith”. Say more of the name."
        ]

    def test_days_are_those_of_the_reader(self, client_of, ana, make_message):
        late = make_message(self.carl, "Late blue", id=None)
        client = client_of(ana)
        client.cookies["zone"] = "Pacific%2FKiritimati"
        there = timezone.localtime(timezone=ZoneInfo("Pacific/Kiritimati")).date()
        response = client.get(PAGE, {"q": f"on:{there.isoformat()} late"})

        assert [hit.pk for group in response.context["groups"] for hit in group.hits] == [late.pk]
        client.cookies["zone"] = "../../etc/passwd"
        assert client.get(PAGE, {"q": "late"}).status_code == 200


class TestPeople:
    @pytest.mark.parametrize("typed", ["carl", "Car", "arl", "+1 415 555 0123", "5550123", "ca"])
    def test_stand_above_what_was_said(self, search, ana, chat, typed):
        response = search(ana, typed)

        assert [found.pk for found in response.context["people"]] == [chat.pk]

    def test_a_group_by_its_name_and_accents_are_no_hindrance(self, search, ana, make_chat, shop):
        group = make_chat(shop, CARL, DORA, display_name="Équipe Gravel")
        other = make_chat(shop, "+14155550177", name="Zoë Müller")

        assert [chat.pk for chat in search(ana, "equipe").context["people"]] == [group.pk]
        assert [chat.pk for chat in search(ana, "muller zoe").context["people"]] == [other.pk]
        assert search(ana, "zoe is:closed").context["people"] == []

    def test_of_many_namesakes_the_latest_come_first(self, search, ana, shop, make_chat, monkeypatch):
        monkeypatch.setattr("inbox.search.people.NAMESAKES", 3)
        chats = [
            make_chat(
                shop,
                f"+1415555{number:04}",
                name="Smith",
                last_activity_at=timezone.now() - timedelta(hours=number),
            )
            for number in range(12)
        ]

        assert [chat.pk for chat in search(ana, "smith").context["people"]] == [chat.pk for chat in chats[:5]]

    def test_who_left_a_group_is_not_in_it(self, search, ana, chat):
        Participant.objects.update(left_at=timezone.now())

        assert search(ana, "carl").context["people"] == []


TRACE = "abcdef0123456789abcdef0123456789"


class TestPasting:
    @pytest.fixture
    def things(self, search):
        return lambda user, typed: [thing.href for thing in search(user, typed).context["things"]]

    @pytest.fixture
    def message(self, chat, make_message):
        return make_message(
            chat, "Hello", external_id="msg-4711", idempotency_key="order:88-a", trace_id=TRACE
        )

    @pytest.mark.parametrize(
        "typed", [CARL, "(415) 555-0123", "+1 415.555.0123", "tel:+14155550123", " 415 555 0123 "]
    )
    def test_a_number_in_any_form_leads_to_its_conversations(self, things, ana, chat, typed):
        assert things(ana, typed) == [reverse("chat", args=[chat.pk])]

    def test_an_address(self, things, ana, make_chat, shop):
        chat = make_chat(shop, "nora@fairwheel.example")

        for typed in ("nora@fairwheel.example", "Nora@Fairwheel.example", "mailto:nora@fairwheel.example"):
            assert things(ana, typed) == [reverse("chat", args=[chat.pk])]

    def test_every_id_of_a_message(self, things, ana, chat, message, environment):
        environment.record("inbox.message_queued", message=message)
        event = environment.events.latest()
        environment.events.filter(pk=event.pk).update(trace_id=TRACE)
        for typed in (
            message.pk,
            message.pk.hex,
            "msg-4711",
            "order:88-a",
            TRACE,
            event.event_id,
            f"“{message.pk}”",
        ):
            assert things(ana, str(typed)) == [reverse("message", args=[message.pk])], typed

    def test_a_conversation_and_a_file(self, things, ana, chat, photo):
        for typed in (chat.pk, chat.external_id):
            assert things(ana, str(typed)) == [reverse("chat", args=[chat.pk])]
        Attachment.objects.update(external_id="file-99")
        for typed in (photo.pk, "file-99"):
            assert things(ana, str(typed)) == [reverse("message", args=[chat.messages.get().pk])]

    def test_webhooks_are_for_admins(self, things, ana, lea, max, environment):
        receipt = Receipt.objects.create(
            environment=environment,
            event_id="evt-4711",
            event_type="message.received",
            body="{}",
            trace_id=TRACE,
        )
        for typed in ("evt-4711", TRACE):
            assert things(max, typed) == [reverse("receipt", args=[receipt.pk])]
            assert things(ana, typed) == things(lea, typed) == []

    def test_nothing_of_others(self, things, olga, person, environment, workshop, message, chat, photo):
        environment.record("inbox.message_queued", message=message)
        event = environment.events.latest()
        ids = (
            message.pk,
            "msg-4711",
            "order:88-a",
            event.trace_id,
            event.event_id,
            chat.pk,
            chat.external_id,
            photo.pk,
            CARL,
        )
        for stranger in (olga, person("Wim", environment, lines=[workshop])):
            for typed in ids:
                assert things(stranger, str(typed)) == []

    def test_a_word_is_only_a_word(self, search, ana, chat):
        with CaptureQueriesContext(connection) as queries:
            search(ana, "carl")
        assert not any("idempotency_key = " in query["sql"] for query in queries)


class TestAccess:
    def test_agents_find_only_what_is_on_their_lines(
        self, said, search, ana, max, workshop, chat, make_chat, make_message
    ):
        elsewhere = make_message(make_chat(workshop, DORA, name="Dora"), "The blue one, in the workshop")
        Note.objects.create(chat=elsewhere.chat, author=max, text="A blue note")

        assert said(ana, "blue") == [chat.messages.get().pk]
        assert len(said(max, "blue")) == 3
        assert search(ana, "dora").context["people"] == []
        assert search(max, "dora").context["people"] != []
        assert said(ana, f"in:{elsewhere.chat_id}") == []
        assert problems(search(ana, "line:workshop")) == ["You see no line of the name “workshop”."]
        assert "1 message in 1 conversation" in search(ana, "blue").content.decode()

    def test_a_stranger_finds_nothing_and_opens_nothing(
        self, said, search, olga, person, environment, workshop, chat, ana
    ):
        note = Note.objects.create(chat=chat, author=ana, text="A blue note")
        for stranger in (olga, person("Wim", environment, lines=[workshop])):
            for typed in (
                "blue",
                "carl",
                "is:open",
                "from:carl",
                "has:link",
                "before:2100-01-01",
                f"in:{chat.pk}",
            ):
                response = search(stranger, typed)
                assert response.context["groups"] == response.context["people"] == [], typed
                assert "Is the blue one" not in response.content.decode()
            for place in ({"at": chat.messages.get().pk}, {"at": note.pk}, {"chat": chat.pk}):
                assert search(stranger, "blue", **place).status_code == 404

    def test_whoever_belongs_nowhere(self, client, client_of, person, chat):
        assert client.get(PAGE, {"q": "blue"}).status_code == 302
        assert client_of(person("Nobody")).get(PAGE, {"q": "blue"})["Location"] == "/"

    def test_an_admin_of_two_environments_searches_one_at_a_time(self, said, max, olga, chat):
        elsewhere = olga.memberships.get().environment
        elsewhere.admit(max, role="admin")

        assert len(said(max, "blue")) == 1
        assert said(olga, "blue") == []


class TestThePage:
    def test_words_of_a_stranger_stay_words(self, search, ana, chat, make_message):
        make_message(chat, '<script>alert("wheel")</script> <mark>wheel</mark> & co')
        html = search(ana, 'wheel "><script>').content.decode()

        assert "<script>alert" not in html
        assert '"><script>' not in html
        html = search(ana, "wheel").content.decode()
        assert "&lt;script&gt;alert(&quot;<mark>wheel</mark>&quot;)" in html
        assert "&lt;mark&gt;<mark>wheel</mark>&lt;/mark&gt; &amp; co" in html

    def test_what_was_found_is_open_in_its_place(self, search, ana, chat, make_message):
        first, second = chat.messages.get(), make_message(chat, "A blue bell", ago=10)
        response = search(ana, "blue", at=first.pk)
        html = response.content.decode()

        assert response.context["among"] == {"place": 1, "count": 2, "older": None, "newer": second.pk}
        assert "1 of 2 here" in html
        assert f'data-found="message-{first.pk}"' in html
        assert 'data-words="[[[&quot;blue&quot;], true]]"' in html
        assert search(ana, "blue", chat=chat.pk).context["chat"] == chat
        assert search(ana, "blue", at="nonsense").status_code == 404

    def test_a_note_is_open_in_its_place(self, search, client_of, ana, chat):
        note = Note.objects.create(chat=chat, author=ana, text="A blue note")
        for response in (
            search(ana, "blue", at=note.pk),
            client_of(ana).get(reverse("conversation", args=["all", chat.pk]), {"note": note.pk}),
        ):
            html = response.content.decode()
            assert f'data-found="note-{note.pk}"' in html
            assert f'id="note-{note.pk}"' in html

    def test_fragments(self, client_of, ana, chat):
        client, headers = client_of(ana), {"HX-Request": "true"}
        results = client.get(PAGE, {"q": "blue"}, headers=headers | {"HX-Target": "results"}).content.decode()
        opened = client.get(
            PAGE, {"q": "blue", "at": chat.messages.get().pk}, headers=headers | {"HX-Target": "conversation"}
        ).content.decode()
        closed = client.get(
            PAGE, {"q": "blue"}, headers=headers | {"HX-Target": "conversation"}
        ).content.decode()

        assert results.count("hx-swap-oob") == 2
        assert results.startswith('<ul id="results"')
        assert opened.startswith('<main id="conversation"')
        assert closed.startswith('<main id="conversation" class="empty-state"')
        for html in (results, opened, closed):
            assert "<!doctype html>" not in html

    def test_costs_the_same_for_one_and_for_many(self, client_of, ana, shop, make_chat, make_message, chat):
        client, costs = client_of(ana), []
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(PAGE, {"q": "blue"}).status_code == 200
            costs.append(len(queries))
            for number in range(20):
                make_message(make_chat(shop, f"+1415555{number:04}{len(costs)}"), "blue", ago=number)
        assert costs[0] == costs[1] <= 22

    def test_without_a_question_it_says_what_can_be_asked(self, search, ana, chat):
        html = search(ana, "").content.decode()

        assert "Search all conversations that you see" in html
        assert "<code>has:photo</code>" in html
        assert "<code>label:</code>" in html

    def test_the_inbox_leads_here(self, client_of, ana, chat):
        html = client_of(ana).get(reverse("inbox", args=["all"])).content.decode()
        assert f'action="{PAGE}"' in html
        html = client_of(ana).get(reverse("conversation", args=["all", chat.pk])).content.decode()
        assert f'href="{PAGE}?q=in:{chat.pk}"' in html


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            [
                "blue",
                "bl'ue",
                "in:x",
                "from:me",
                "from:%",
                "is:open",
                "has:link",
                "has:photo",
                '"',
                "\\",
                "%s",
                "%(asked)s",
                "&",
                "|",
                "!",
                ":*",
                "é",
                "ß",
                "0",
                "before:today",
                "line:s",
            ]
        )
        | st.text(max_size=8),
        max_size=5,
    ).map(" ".join)
)
def test_whatever_is_typed_the_page_answers(chat, ana, client_of, typed):
    assert client_of(ana).get(PAGE, {"q": typed}).status_code == 200
    assert Chat.objects.filter(pk=chat.pk).exists()
