from datetime import time

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db

HOURS = {"time_zone": "Europe/Lisbon", "opens_at": "08:30", "closes_at": "18:00", "open_days": ["1", "6"]}


def test_an_admin_says_when_somebody_is_there(client_of, max, environment):
    response = client_of(max).post(reverse("keep-hours"), HOURS)

    assert response.status_code == 302
    environment.refresh_from_db()
    assert (environment.time_zone, environment.opens_at) == ("Europe/Lisbon", time(8, 30))
    assert environment.open_days == [1, 6]
    html = client_of(max).get(reverse("environment")).content.decode()
    assert 'value="Europe/Lisbon"' in html
    assert 'value="08:30"' in html


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"time_zone": "Lisbon"}, "There is no time zone"),
        ({"closes_at": "08:00"}, "Closing comes after opening"),
        ({"opens_at": "25:00"}, "Enter a valid time"),
        ({"open_days": []}, "Choose at least one day"),
        ({"open_days": ["8"]}, "8 is not one of"),
    ],
)
def test_hours_that_are_none_are_refused(client_of, max, environment, wrong, sentence):
    response = client_of(max).post(reverse("keep-hours"), HOURS | wrong)

    assert response.status_code == 422
    html = response.content.decode()
    assert sentence in html
    # What was right stays written.
    assert f'value="{(HOURS | wrong)["opens_at"]}"' in html
    environment.refresh_from_db()
    assert environment.time_zone == "UTC"


@pytest.mark.parametrize("who", ["lea", "ana", "olga"])
def test_nobody_else_does(request, client_of, environment, who):
    response = client_of(request.getfixturevalue(who)).post(reverse("keep-hours"), HOURS)

    environment.refresh_from_db()
    assert environment.time_zone == "UTC"
    assert response.status_code == (302 if who == "olga" else 404)
