from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from inbox.models import Chat, ChatLabel, Label
from inbox.models.label import MOST_LABELS
from inbox.models.labelling import MOST_OF_CHAT
from tests.conftest import DORA
from tests.inbox.conftest import nothing_changes

pytestmark = pytest.mark.django_db


@pytest.fixture
def warranty(environment):
    return Label.make(environment, "Warranty", by=None)


@pytest.fixture
def theirs(olga):
    return Label.make(olga.memberships.get().environment, "Secret", by=olga)


def labels_of(chat):
    return [label.name for label in chat.labels.by_name()]


class TestLabel:
    def test_each_begins_with_another_colour(self, environment):
        colours = [Label.make(environment, name, by=None).colour for name in "abc"]

        assert len(set(colours)) == 3

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            ("  ", "Give the label a name."),
            ("x" * 41, "A label has 40 characters at most."),
            ("warranty", "There is a label “warranty” already."),
        ],
    )
    def test_a_name_that_cannot_be_says_why(self, environment, warranty, name, sentence):
        with pytest.raises(ValidationError, match=sentence):
            Label.make(environment, name, by=None)
        assert environment.labels.get() == warranty

    def test_two_environments_may_use_one_name(self, warranty, theirs):
        Label.make(theirs.environment, "Warranty", by=None)

    def test_there_are_not_endlessly_many(self, environment):
        Label.objects.bulk_create(
            Label(environment=environment, name=f"{number}", colour="teal") for number in range(MOST_LABELS)
        )
        with pytest.raises(ValidationError, match="are the most"):
            Label.make(environment, "One more", by=None)

    def test_what_happens_to_it_is_in_the_log(self, environment, warranty, max):
        warranty.change(name="Guarantee", colour="plum", by=max)
        warranty.change(name="Guarantee", colour="plum", by=max)
        assert warranty.delete_here(by=max)
        assert not warranty.delete_here(by=max)

        told = [
            (event.type, event.data["name"])
            for event in environment.events.filter(type__startswith="inbox.label").order_by("id")
        ]
        assert told == [
            ("inbox.label_made", "Warranty"),
            ("inbox.label_changed", "Guarantee"),
            ("inbox.label_deleted", "Guarantee"),
        ]


class TestOnAChat:
    def test_is_added_and_taken_away_once(self, chat, environment, warranty, ana):
        assert chat.add_label(warranty, by=ana)
        assert not chat.add_label(warranty, by=ana)
        assert labels_of(chat) == ["Warranty"]
        assert chat.remove_label(warranty, by=ana)
        assert not chat.remove_label(warranty, by=ana)

        told = [
            (event.type, event.actor, event.data["name"])
            for event in environment.events.filter(chat_id=chat.pk).order_by("id")
        ]
        assert told == [("inbox.label_added", ana, "Warranty"), ("inbox.label_removed", ana, "Warranty")]

    def test_one_of_another_environment_is_a_mistake(self, chat, theirs, ana):
        with pytest.raises(ValueError, match="another environment"):
            chat.add_label(theirs, by=ana)

    def test_has_twenty_at_most(self, chat, environment, ana):
        for number in range(MOST_OF_CHAT):
            chat.add_label(Label.make(environment, f"{number}", by=ana), by=ana)
        with pytest.raises(ValidationError, match="the most for one conversation"):
            chat.add_label(Label.make(environment, "One more", by=ana), by=ana)

    def test_a_deleted_label_goes_and_the_chat_stays(self, chat, warranty, ana):
        chat.add_label(warranty, by=ana)
        warranty.delete_here(by=ana)

        assert labels_of(Chat.objects.get(pk=chat.pk)) == []

    def test_of_a_chat_that_is_taken_over_nothing_is_lost(
        self, chat, make_chat, shop, environment, warranty, ana
    ):
        ours = make_chat(shop, "+14155550123")
        other = Label.make(environment, "Other", by=ana)
        ours.add_label(warranty, by=ana)
        for label in (warranty, other):
            chat.add_label(label, by=ana)
        ours.take_external_id(chat.external_id)

        assert labels_of(ours) == ["Other", "Warranty"]


@pytest.mark.django_db(transaction=True)
def test_two_people_who_add_the_same_label_at_once_make_one_event(chat, environment, warranty, ana, ben):
    def add(user):
        try:
            return Chat.objects.get(pk=chat.pk).add_label(warranty, by=user)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(add, [ana, ben])) == [False, True]
    assert ChatLabel.objects.count() == 1
    assert environment.events.filter(type="inbox.label_added").count() == 1


class TestInAConversation:
    def test_the_picker_has_those_that_are_on_first(self, client_of, ana, chat, environment, warranty):
        Label.make(environment, "Bikes", by=ana)
        chat.add_label(warranty, by=ana)
        found = client_of(ana).get(reverse("labels", args=[chat.pk])).context["found"]

        assert [(one["label"].name, one["is_here"]) for one in found] == [
            ("Warranty", True),
            ("Bikes", False),
        ]

    @pytest.mark.parametrize(
        ("typed", "found", "new"),
        [
            ("war", ["Warranty"], "war"),
            ("warranty", ["Warranty"], ""),
            ("bikes", [], "bikes"),
            ("a\0b", [], "ab"),
        ],
    )
    def test_typing_finds_or_offers_to_make(self, client_of, ana, chat, warranty, typed, found, new):
        context = client_of(ana).get(reverse("labels", args=[chat.pk]), {"q": typed}).context

        assert [one["label"].name for one in context["found"]] == found
        assert context["new"] == new

    def test_ticking_adds_and_takes_away(self, press, ana, chat, warranty):
        answer = press(ana, "label", chat, add=str(warranty.pk))
        assert answer.status_code == 200
        assert 'aria-checked="true"' in answer.content.decode()
        assert labels_of(chat) == ["Warranty"]
        press(ana, "label", chat, remove=str(warranty.pk))
        assert labels_of(chat) == []

    def test_making_one_adds_it(self, press, ana, chat, environment):
        press(ana, "label", chat, make="  Cargo   bikes ")
        press(ana, "label", chat, make="cargo bikes")

        assert labels_of(chat) == ["Cargo bikes"]
        assert environment.labels.count() == 1

    @pytest.mark.parametrize("name", ["", "x" * 41])
    def test_one_that_cannot_be_made_says_why(self, press, ana, chat, name):
        with nothing_changes():
            answer = press(ana, "label", chat, make=name)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()

    def test_works_without_htmx(self, press, ana, chat):
        assert press(ana, "label", chat, htmx=False, make="Vip").status_code == 302
        assert labels_of(chat) == ["Vip"]

    def test_strangers_and_their_labels_are_not_there(
        self, press, client_of, olga, wim, ana, chat, warranty, theirs
    ):
        for stranger in (olga, wim):
            assert client_of(stranger).get(reverse("labels", args=[chat.pk])).status_code == 404
            assert press(stranger, "label", chat, add=str(warranty.pk)).status_code == 404
        for wrong in (str(theirs.pk), "nonsense", ""):
            assert press(ana, "label", chat, add=wrong).status_code == 404
            assert press(ana, "label", chat, remove=wrong).status_code == 404
        assert "Secret" not in client_of(ana).get(reverse("labels", args=[chat.pk])).content.decode()
        assert labels_of(chat) == []

    def test_stands_in_the_row_the_details_and_the_thread(self, client_of, ana, chat, warranty):
        chat.add_label(warranty, by=ana)
        html = client_of(ana).get(reverse("conversation", args=["all", chat.pk])).content.decode()

        assert f'data-labels="{warranty.pk} "' in html
        assert "added <b>Warranty</b>" in html
        assert f'href="/inbox/all/?label={warranty.pk}"' in html


class TestTheList:
    def test_is_narrowed_with_its_counts_and_its_pages(self, client_of, ana, shop, chat, make_chat, warranty):
        labelled = make_chat(shop, DORA)
        labelled.add_label(warranty, by=ana)
        address = reverse("inbox", args=["all"])
        context = client_of(ana).get(address, {"label": warranty.pk}).context

        assert context["rows"] == [labelled]
        assert {tab["view"]: tab["count"] for tab in context["tabs"]}["all"] == "1"
        assert all(f"?label={warranty.pk}" in tab["href"] for tab in context["tabs"])
        assert client_of(ana).get(address).context["tabs"][2]["count"] == "2"
        counts = client_of(ana).get(reverse("counts"), {"view": "all", "label": warranty.pk})
        assert counts.context["tabs"][2]["count"] == "1"
        behind = client_of(ana).get(reverse("rows", args=["all"]), {"before": chat.pk, "label": warranty.pk})
        assert behind.context["rows"] == []

    def test_offers_the_labels_there_are(self, client_of, ana, chat, warranty, theirs):
        headers = {"HX-Request": "true", "HX-Target": "list-labels"}
        html = client_of(ana).get(reverse("inbox", args=["mine"]), headers=headers).content.decode()

        assert f'href="/inbox/mine/?label={warranty.pk}"' in html
        assert "Secret" not in html

    def test_of_a_label_that_is_not_there_is_not_there(self, client_of, ana, theirs):
        for wrong in (theirs.pk, "nonsense"):
            assert client_of(ana).get(reverse("inbox", args=["all"]), {"label": wrong}).status_code == 404

    def test_narrowed_shows_nothing_of_other_lines(self, client_of, ana, workshop, make_chat, warranty, max):
        make_chat(workshop, DORA).add_label(warranty, by=max)

        assert (
            client_of(ana).get(reverse("inbox", args=["all"]), {"label": warranty.pk}).context["rows"] == []
        )


class TestSettings:
    def test_admins_make_change_and_delete(self, client_of, max, environment, chat):
        client = client_of(max)
        client.post(reverse("make-label"), {"name": "Vip", "colour": "plum"})
        label = environment.labels.get()
        chat.add_label(label, by=max)
        assert "1 conversation<" in client.get(reverse("all-labels")).content.decode()
        client.post(reverse("change-label", args=[label.pk]), {"name": "VIP", "colour": "moss"})
        label.refresh_from_db()
        assert (label.name, label.colour) == ("VIP", "moss")
        client.post(reverse("delete-label", args=[label.pk]))
        assert not environment.labels.exists()

    def test_what_cannot_be_says_why(self, client_of, max, environment, warranty):
        other = Label.make(environment, "Other", by=max)
        made = client_of(max).post(reverse("make-label"), {"name": "Other", "colour": "plum"})
        painted = client_of(max).post(reverse("make-label"), {"name": "New", "colour": "gold"})
        changed = client_of(max).post(
            reverse("change-label", args=[other.pk]), {"name": "warranty", "colour": "plum"}
        )

        assert [answer.status_code for answer in (made, painted, changed)] == [422, 422, 422]
        assert "There is a label “Other” already." in made.content.decode()
        assert "Choose one of the colours." in painted.content.decode()
        assert "There is a label “warranty” already." in changed.content.decode()
        assert sorted(environment.labels.values_list("name", flat=True)) == ["Other", "Warranty"]

    def test_nobody_else_does(self, client_of, ana, lea, olga, environment, warranty):
        addresses = [
            reverse("make-label"),
            reverse("change-label", args=[warranty.pk]),
            reverse("delete-label", args=[warranty.pk]),
        ]
        for user in (ana, lea):
            assert client_of(user).get(reverse("all-labels")).status_code == 404
            for address in addresses:
                assert client_of(user).post(address, {"name": "x", "colour": "teal"}).status_code == 404
        for address in addresses[1:]:
            assert client_of(olga).post(address, {"name": "x", "colour": "teal"}).status_code == 404
        assert list(environment.labels.values_list("name", flat=True)) == ["Warranty"]


class TestSearch:
    @pytest.fixture
    def found(self, client_of, ana):
        def find(typed):
            response = client_of(ana).get(reverse("search"), {"q": typed})
            hits = [hit.pk for group in response.context["groups"] for hit in group.hits]
            return hits, response.context["meaning"].problems

        return find

    def test_finds_what_was_said_in_conversations_with_a_label(
        self, found, chat, shop, make_chat, make_message, environment, warranty, ana
    ):
        labelled = make_chat(shop, DORA)
        message = make_message(labelled, "The blue one clicks")
        labelled.add_label(warranty, by=ana)

        assert found("label:warranty") == ([message.pk], [])
        assert found("label:War blue") == ([message.pk], [])
        assert found("label:warranty stock") == ([], [])
        labelled.add_label(Label.make(environment, "Blue bikes", by=ana), by=ana)
        assert found('label:"blue bikes" label:warranty') == ([message.pk], [])

    def test_a_label_that_is_not_there_is_said(self, found, chat, theirs):
        assert found("label:secret") == ([], ["There is no label “secret”."])
