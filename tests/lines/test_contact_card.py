"""The contact card of a line: how it is changed, handed to the carrier, and made into a file."""

import threading
from datetime import timedelta
from io import BytesIO

import pytest
import vobject
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lines import gateways, tasks
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import ContactCard, Line
from lines.pictures import EMBEDDED_BYTES, picture_of
from lines.vcard import vcard_for

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def carrier(monkeypatch):
    """A carrier that keeps the names it was given, and fails as told."""

    class Carrier(gateways.Gateway):
        cards, failures = [], []

        def put_contact_card(self, line, card):
            if self.failures:
                raise self.failures.pop(0)
            self.cards.append((line, card.first_name, card.last_name, bool(card.image)))

    Carrier.cards, Carrier.failures = [], []
    monkeypatch.setattr(gateways, "for_environment", Carrier)
    monkeypatch.setattr(tasks, "wake", lambda *args, **kwargs: None)
    return Carrier


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def card(shop, max, carrier):
    card = ContactCard.of(shop)
    card.change(by=max, first_name="Fairwheel", last_name="Shop")
    return card


def picture_file(width=400, height=400, *, colour="teal", format="PNG", mode="RGB", name="face.png"):
    file = BytesIO()
    Image.new(mode, (width, height), colour).save(file, format)
    return SimpleUploadedFile(name, file.getvalue(), content_type="application/octet-stream")


def page_of(line):
    return f"/lines/{line.pk}/"


def text_of(response):
    return response.content.decode()


def events_of(environment):
    return list(environment.events.order_by("pk").values_list("type", "data"))


def stored_pictures(environment):
    folder = f"{environment.pk}/cards"
    return default_storage.listdir(folder)[1] if default_storage.exists(folder) else []


def run_due():
    for pk in ContactCard.objects.due().values_list("pk", flat=True):
        tasks.put_contact_card(str(pk))


# The card itself


def test_a_card_is_made_with_an_event(shop, environment, max, carrier):
    card = ContactCard.of(shop)
    assert card.change(by=max, first_name="  Fairwheel ", last_name="Shop")

    card = ContactCard.objects.get(line=shop)
    assert (card.name, card.edition, card.state) == ("Fairwheel Shop", 1, "queued")
    assert card.changed_by == max
    told = environment.events.latest()
    assert (told.type, told.actor, told.line) == ("inbox.card_changed", max, shop)
    assert told.data == {"edition": 1, "changed": ["first_name", "last_name"]}


def test_the_same_again_is_no_change(card, environment, max):
    before = environment.events.count()

    assert not card.change(by=max, first_name="Fairwheel", last_name="Shop")
    assert card.edition == 1
    assert environment.events.count() == before


def test_the_edition_counts_what_the_carrier_is_told_of(card, max, workshop):
    card.change(by=max, email="shop@fairwheel.example", backups=[workshop])
    assert card.edition == 1
    card.change(by=max, picture=picture_of(picture_file()))
    assert card.edition == 2
    card.change(by=max, last_name="")
    assert card.edition == 3


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"first_name": " \n "}, "A contact card needs a first name."),
        ({"first_name": "x" * 61}, "at most 60 characters"),
        ({"email": "not an address"}, "valid email"),
        ({"website": "javascript:alert(1)"}, "valid URL"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(card, environment, max, fields, sentence):
    before = environment.events.count()
    with pytest.raises(ValidationError, match=sentence):
        card.change(by=max, last_name="Changed", **fields)

    card.refresh_from_db()
    assert (card.name, card.email, card.website, card.edition) == ("Fairwheel Shop", "", "", 1)
    assert environment.events.count() == before


def test_backups_are_other_lines_of_the_same_environment(card, shop, workshop, max, olga):
    elsewhere = Line.objects.create(
        environment=olga.memberships.get().environment, name="Theirs", phone_number="+12025550199"
    )
    card.change(by=max, backups=[shop, workshop, elsewhere])

    assert list(card.backups.all()) == [workshop]


def test_two_admins_at_once_make_one_card(transactional_db, shop, max, carrier):
    editions = []

    def make(name):
        card = ContactCard.of(Line.objects.get(pk=shop.pk))
        card.change(by=max, first_name=name)
        editions.append(card.edition)
        connection.close()

    threads = [threading.Thread(target=make, args=(name,)) for name in ("Fair", "Wheel", "Shop")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(editions) == [1, 2, 3]
    assert ContactCard.objects.get().edition == 3


# Its picture


def test_a_picture_becomes_a_square_jpeg_under_an_id(card, environment, max):
    card.change(by=max, picture=picture_of(picture_file(900, 700, name="../../etc/passwd.png")))

    with card.image.open("rb") as file, Image.open(file) as image:
        assert (image.format, image.size) == ("JPEG", (640, 640))
    assert card.image.name.startswith(f"{environment.pk}/cards/")
    assert "passwd" not in card.image.name
    facts = card.image_facts
    assert (facts["width"], facts["height"], facts["format"]) == (900, 700, "PNG")
    assert (facts["has_transparency"], facts["has_plain_edge"]) == (False, True)


def test_it_is_cut_from_the_middle(max):
    wide = Image.new("RGB", (600, 200), "red")
    wide.paste("blue", (200, 0, 400, 200))
    file = BytesIO()
    wide.save(file, "PNG")
    picture = picture_of(SimpleUploadedFile("wide.png", file.getvalue()))

    with Image.open(BytesIO(picture.content)) as image:
        corners = [image.getpixel(place) for place in ((3, 3), (196, 196))]
    assert all(blue > 200 and red < 60 for red, _, blue in corners)


def test_a_photograph_is_turned_as_the_camera_was_held_and_loses_what_it_wrote_down():
    photo = Image.new("RGB", (400, 300), "white")
    exif = photo.getexif()
    exif[0x0112], exif[0x010F] = 6, "Secret Camera"
    file = BytesIO()
    photo.save(file, "JPEG", exif=exif)
    picture = picture_of(SimpleUploadedFile("photo.jpg", file.getvalue()))

    assert (picture.width, picture.height) == (300, 400)
    assert b"Secret Camera" not in picture.content


def test_heic_is_taken_and_known_by_its_content():
    picture = picture_of(picture_file(300, 300, format="HEIF", name="IMG_1.jpg"))

    assert picture.format == "HEIC"
    with Image.open(BytesIO(picture.content)) as image:
        assert image.format == "JPEG"


def test_what_is_transparent_or_busy_is_noted():
    clear = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    clear.paste((200, 0, 0, 255), (100, 100, 200, 200))
    busy = Image.new("RGB", (300, 300), "white")
    busy.paste("green", (0, 200, 300, 300))
    files = []
    for image in (clear, busy):
        file = BytesIO()
        image.save(file, "PNG")
        files.append(picture_of(SimpleUploadedFile("a.png", file.getvalue())))

    assert [(file.has_transparency, file.has_plain_edge) for file in files] == [(True, True), (False, False)]


@pytest.mark.parametrize(
    ("upload", "sentence"),
    [
        (lambda: picture_file(199, 400), "199 × 400; phones need 200 × 200 at least"),
        (lambda: picture_file(format="GIF"), "choose a JPEG, PNG or HEIC"),
        (lambda: SimpleUploadedFile("a.png", b"<svg onload=alert(1)>"), "choose a JPEG, PNG or HEIC"),
        (lambda: SimpleUploadedFile("a.png", picture_file(800, 800).read()[:90]), "damaged"),
        (lambda: picture_file(10_000, 6_500, mode="1", colour=1), "more than 64 million pixels"),
    ],
)
def test_a_picture_that_phones_would_not_show_is_refused(admin, card, shop, environment, upload, sentence):
    response = admin.post(page_of(shop) + "card/", {"first_name": "Changed", "picture": upload()})

    assert response.status_code == 422
    assert sentence in text_of(response)
    card.refresh_from_db()
    assert (card.first_name, card.edition, card.image.name) == ("Fairwheel", 1, "")
    assert stored_pictures(environment) == []


def test_a_picture_of_more_than_ten_megabytes_is_refused():
    upload = SimpleUploadedFile("large.png", b"x")
    upload.size = 11 * 1024 * 1024
    with pytest.raises(ValidationError) as refusal:
        picture_of(upload)
    assert refusal.value.message == "The picture is 11.0\xa0MB; 10.0\xa0MB is the most."


def test_the_picture_before_goes_with_the_change(transactional_db, card, environment, max):
    card.change(by=max, picture=picture_of(picture_file()))
    first = card.image.name
    card.change(by=max, picture=picture_of(picture_file(colour="red")))
    assert stored_pictures(environment) == [card.image.name.rpartition("/")[2]]
    assert card.image.name != first

    card.change(by=max, picture=None)
    assert stored_pictures(environment) == []
    assert (card.image.name, card.image_facts) == ("", {})


# Its way to the carrier


def test_the_carrier_is_given_the_card_once(card, carrier, environment):
    run_due()
    run_due()

    card.refresh_from_db()
    assert carrier.cards == [("+12025550100", "Fairwheel", "Shop", False)]
    assert (card.state, card.accepted_edition, card.is_active) == ("accepted", 1, True)
    assert events_of(environment)[-1] == ("inbox.card_accepted", {"edition": 1})


def test_what_is_temporary_is_tried_again_later(card, carrier):
    carrier.failures.append(TemporaryFailure("Too many changes", code=1007, retry_after=300))
    run_due()

    card.refresh_from_db()
    assert (card.state, card.error, carrier.cards) == ("queued", "Too many changes", [])
    assert card.next_try_at > timezone.now() + timedelta(seconds=290)
    run_due()
    assert carrier.cards == []

    ContactCard.objects.update(next_try_at=timezone.now())
    run_due()
    card.refresh_from_db()
    assert (card.state, card.error) == ("accepted", "")


def test_it_gives_up_after_eight_tries(card, carrier):
    carrier.failures += [TemporaryFailure("No answer")] * 9
    for _ in range(9):
        ContactCard.objects.update(next_try_at=timezone.now())
        run_due()

    card.refresh_from_db()
    assert (card.state, card.error, card.tries) == ("failed", "No answer (tried 8 times)", 8)


def test_a_refusal_is_said_and_can_be_tried_again(admin, card, shop, carrier, environment):
    carrier.failures.append(PermanentFailure("The name is not allowed", code=1005))
    run_due()
    assert events_of(environment)[-1] == (
        "inbox.card_refused",
        {"edition": 1, "code": 1005, "reason": "The name is not allowed"},
    )
    assert "The carrier refused the card: The name is not allowed (1005)" in text_of(admin.get(page_of(shop)))

    admin.post(page_of(shop) + "card/again/")
    run_due()
    card.refresh_from_db()
    assert card.state == "accepted"


def test_a_change_while_it_is_handed_over_goes_after_it(card, carrier, max):
    claimed = ContactCard.claim(card.pk)
    card.change(by=max, last_name="Workshop")
    assert ContactCard.claim(card.pk) is None
    claimed.put()

    card.refresh_from_db()
    assert (card.state, card.accepted_edition, card.edition) == ("queued", 1, 2)
    run_due()
    card.refresh_from_db()
    assert card.state == "accepted"
    assert [name for _, _, name, _ in carrier.cards] == ["Shop", "Workshop"]


def test_a_refusal_of_what_is_no_longer_wanted_is_of_no_account(card, carrier, max):
    claimed = ContactCard.claim(card.pk)
    card.change(by=max, last_name="Workshop")
    carrier.failures.append(PermanentFailure("Not that name"))
    claimed.put()

    card.refresh_from_db()
    assert card.state == "queued"


def test_a_worker_that_died_loses_its_claim(card, carrier):
    ContactCard.claim(card.pk)
    assert ContactCard.claim(card.pk) is None
    ContactCard.objects.update(claimed_at=timezone.now() - timedelta(seconds=61))
    run_due()

    assert len(carrier.cards) == 1


def test_two_workers_hand_it_over_once(transactional_db, card, carrier):
    def work():
        tasks.put_contact_card(str(card.pk))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(carrier.cards) == 1


# The file

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)


@given(first=NAMES.filter(str.strip), last=NAMES, organisation=NAMES, address=NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_comes_back_out_of_the_file(card, first, last, organisation, address):
    try:
        card.change(by=None, first_name=first, last_name=last, organisation=organisation, address=address)
    except ValidationError:
        return
    content = vcard_for(card.line)
    read = vobject.readOne(content.decode())

    assert (read.n.value.given, read.n.value.family) == (card.first_name, card.last_name)
    assert read.fn.value == card.name
    assert [line.value for line in read.contents.get("org", [])] == [
        [organisation_] for organisation_ in [card.organisation] if organisation_
    ]
    assert [line.value.street for line in read.contents.get("adr", [])] == [
        line for line in [card.address] if line
    ]
    assert content.endswith(b"END:VCARD\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")


def test_the_file_holds_all_that_the_card_says(card, shop, workshop, max):
    busy = Image.effect_noise((640, 640), 120)
    file = BytesIO()
    busy.save(file, "PNG")
    paused = Line.objects.create(environment=shop.environment, phone_number="+12025550102", status="paused")
    card.change(
        by=max,
        organisation="Fairwheel; Bikes, Ltd",
        email="shop@fairwheel.example",
        website="https://fairwheel.example/?a=1,2;3",
        address="12 Main St, Portland\nOregon; 97201",
        picture=picture_of(SimpleUploadedFile("busy.png", file.getvalue())),
        backups=[workshop, paused],
    )
    content = vcard_for(shop)
    read = vobject.readOne(content.decode())

    assert content.startswith(b"BEGIN:VCARD\r\nVERSION:3.0\r\n")
    assert max_length(content) <= 75
    assert read.org.value == ["Fairwheel; Bikes, Ltd"]
    assert read.email.value == "shop@fairwheel.example"
    assert read.url.value == "https://fairwheel.example/?a=1%2C2%3B3"
    assert read.adr.value.street == "12 Main St, Portland\nOregon; 97201"
    assert [tel.value for tel in read.tel_list] == ["+12025550100", "+12025550101"]
    assert read.tel_list[0].params["TYPE"] == ["CELL", "PREF"]
    label = read.contents["x-ablabel"][0]
    assert (label.group, label.value) == (read.tel_list[1].group, "Backup")
    assert len(read.photo.value) <= EMBEDDED_BYTES
    with Image.open(BytesIO(read.photo.value)) as image:
        assert (image.format, image.width >= 200) == ("JPEG", True)


def max_length(content):
    return sorted(len(line) for line in content.split(b"\r\n"))[-1]


def test_a_line_without_a_card_has_its_name_and_number(shop):
    read = vobject.readOne(vcard_for(shop).decode())

    assert (read.fn.value, read.tel.value) == ("Shop", "+12025550100")


def test_whoever_sees_the_line_may_have_the_file(
    client, client_of, card, shop, workshop, ana, lea, olga, max
):
    card.change(by=max, picture=picture_of(picture_file()))
    for somebody in (ana, lea, max):
        response = client_of(somebody).get(f"/lines/{shop.pk}/card.vcf")
        assert response.status_code == 200
        assert response["Content-Type"] == "text/vcard; charset=utf-8"
        assert response["Content-Disposition"] == 'attachment; filename="Fairwheel Shop.vcf"'
        assert b"FN:Fairwheel Shop" in response.content
        picture = client_of(somebody).get(f"/lines/{shop.pk}/card.jpg")
        assert picture["Content-Type"] == "image/jpeg"
        assert b"".join(picture.streaming_content).startswith(b"\xff\xd8")

    for name in ("card.vcf", "card.jpg"):
        assert client_of(olga).get(f"/lines/{shop.pk}/{name}").status_code == 404
        assert client_of(ana).get(f"/lines/{workshop.pk}/{name}").status_code == 404
        assert client.get(f"/lines/{shop.pk}/{name}").status_code == 302
    assert client_of(max).get(f"/lines/{workshop.pk}/card.jpg").status_code == 404


# The page


def test_an_admin_writes_the_card(admin, shop, workshop, environment, max, carrier):
    form = {
        "first_name": "Fairwheel",
        "website": "fairwheel.example",
        "backups": [workshop.pk],
        "picture": picture_file(640, 480),
    }
    response = admin.post(page_of(shop) + "card/", form, follow=True)

    page = text_of(response)
    assert "The contact card of Shop is saved" in page
    assert "Not square: cut from the middle" in page
    assert "On its way to the carrier" in page
    card = ContactCard.objects.get(line=shop)
    assert (card.first_name, card.website, card.changed_by) == ("Fairwheel", "https://fairwheel.example", max)
    assert list(card.backups.all()) == [workshop]

    admin.post(page_of(shop) + "card/", {"first_name": "Fairwheel", "removes_picture": "yes"})
    card.refresh_from_db()
    assert (card.image.name, card.edition, list(card.backups.all())) == ("", 2, [])


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "A contact card needs a first name."),
        ({"first_name": "A", "email": "nowhere"}, "valid email"),
        ({"first_name": "A", "website": "http://"}, "valid URL"),
        ({"first_name": "A" * 61}, "at most 60 characters"),
        ({"first_name": "A", "backups": ["not-a-line"]}, "“not-a-line” is not a valid"),
    ],
)
def test_bad_input_comes_back_with_a_sentence(admin, shop, environment, carrier, form, sentence):
    response = admin.post(page_of(shop) + "card/", form, headers=HTMX)

    assert response.status_code == 422
    assert sentence in text_of(response)
    assert not ContactCard.objects.exists()
    assert not environment.events.filter(type="inbox.card_changed").exists()


def test_another_environment_s_line_is_no_backup(admin, shop, olga, carrier):
    elsewhere = Line.objects.create(
        environment=olga.memberships.get().environment, name="Theirs", phone_number="+12025550199"
    )
    page = admin.get(page_of(shop))
    assert str(elsewhere.pk) not in text_of(page)
    response = admin.post(page_of(shop) + "card/", {"first_name": "A", "backups": [elsewhere.pk]})

    assert response.status_code == 422
    assert "Choose from the other lines of this environment." in text_of(response)
    assert not ContactCard.objects.exists()


def test_what_happens_by_itself_is_turned_off_at_once(admin, shop, environment, max):
    for switch in Line.SWITCHES:
        response = admin.post(page_of(shop) + "turn/", {"switch": switch, "on": "no"}, follow=True)
        assert f'id="switch-{switch}" role="switch" aria-checked="false"' in text_of(response)
        admin.post(page_of(shop) + "turn/", {"switch": switch, "on": "no"})

    shop.refresh_from_db()
    assert [getattr(shop, switch) for switch in Line.SWITCHES] == [False] * 3
    told = environment.events.filter(type="inbox.line_changed").order_by("pk")
    assert [event.data for event in told] == [{switch: False} for switch in Line.SWITCHES]
    assert {event.actor for event in told} == {max}


@pytest.mark.parametrize("form", [{"switch": "status", "on": "no"}, {"switch": "auto_typing"}, {}])
def test_there_is_no_other_switch(admin, shop, environment, form):
    for url in (page_of(shop) + "turn/", "/settings/environment/turn/"):
        response = admin.post(url, form)
        assert response.status_code == 422
        assert "There is no such setting" in text_of(response)
    assert (
        not environment.events.filter(type__endswith="_changed").exclude(type="inbox.access_changed").exists()
    )


def test_what_holds_for_the_environment(admin, environment, max):
    for switch, on in (
        ("reactions_answer", "no"),
        ("types_in_groups", "yes"),
        ("frees_first_messages", "yes"),
    ):
        response = admin.post("/settings/environment/turn/", {"switch": switch, "on": on}, follow=True)
        checked = "true" if on == "yes" else "false"
        assert f'id="switch-{switch}" role="switch" aria-checked="{checked}"' in text_of(response)
    admin.post("/settings/environment/lift/", {"lift": "keyword"})
    admin.post("/settings/environment/lift/", {"lift": "keyword"})

    environment.refresh_from_db()
    assert (environment.reactions_answer, environment.types_in_groups) == (False, True)
    assert (environment.frees_first_messages, environment.opt_out_lift) == (True, "keyword")
    told = environment.events.filter(type="inbox.environment_changed").order_by("pk")
    assert [event.data for event in told] == [
        {"reactions_answer": False},
        {"types_in_groups": True},
        {"frees_first_messages": True},
        {"opt_out_lift": "keyword"},
    ]

    assert admin.post("/settings/environment/lift/", {"lift": "never"}).status_code == 422


def test_nobody_else_learns_that_the_pages_exist(client, client_of, card, shop, environment, ana, lea, olga):
    verbs = [
        page_of(shop) + "turn/",
        page_of(shop) + "card/",
        page_of(shop) + "card/again/",
        "/settings/environment/turn/",
        "/settings/environment/lift/",
    ]
    form = {"switch": "shares_card", "on": "no", "first_name": "Mine", "lift": "keyword"}
    for somebody in (ana, lea):
        signed_in = client_of(somebody)
        assert signed_in.get("/settings/environment/").status_code == 404
        # They see the line, but nothing with which to change it.
        assert "<form" not in text_of(signed_in.get(page_of(shop))).split('id="settings"')[1]
        assert [signed_in.post(url, form).status_code for url in verbs] == [404] * 5
    stranger = client_of(olga)
    assert stranger.get(page_of(shop)).status_code == 404
    assert [stranger.post(url, form).status_code for url in verbs[:3]] == [404] * 3
    assert "Fairwheel" not in text_of(stranger.get("/settings/environment/"))
    assert [client.post(url, form).status_code for url in verbs] == [302] * 5
    assert [client_of(olga).get(url).status_code for url in verbs] == [405] * 5

    shop.refresh_from_db()
    environment.refresh_from_db()
    card.refresh_from_db()
    assert (shop.shares_card, environment.opt_out_lift, card.first_name) == (True, "any", "Fairwheel")


def test_people_link_to_the_page_of_each_line(admin, shop):
    assert f'href="{page_of(shop)}"' in text_of(admin.get("/settings/people/"))


# The right to delete


def test_the_right_to_delete_is_taken_and_given(admin, shop, ana, environment):
    url = f"/settings/lines/{shop.pk}/let-in/"
    response = admin.post(url, {"user": ana.pk, "may_answer": "yes", "may_delete": "no"}, follow=True)
    assert "Ana answers on Shop, but deletes nothing" in text_of(response)
    assert (list(Line.objects.answerable_by(ana)), list(Line.objects.deletable_by(ana))) == ([shop], [])

    # Whoever says nothing of it changes nothing.
    admin.post(url, {"user": ana.pk, "may_answer": "no"})
    admin.post(url, {"user": ana.pk, "may_answer": "yes"})
    assert list(Line.objects.deletable_by(ana)) == []

    admin.post(url, {"user": ana.pk, "may_answer": "yes", "may_delete": "yes"})
    assert list(Line.objects.deletable_by(ana)) == [shop]
    assert environment.events.latest().type == "inbox.access_changed"
    assert admin.post(url, {"user": ana.pk, "may_delete": "perhaps"}).status_code == 422
