"""`/customers`, and the customer of an appointment by id or by words."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from json import dumps
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.audit.acts import Act
from sophiie.audit.models import Entry
from sophiie.customers.models import Customer
from tests.api.problems import errors, problem
from tests.api.test_life import PLAIN
from tests.conftest import ApiCaller, tomorrow_at

DANA = {
    "name": "Dana Winterbottom",
    "phones": ["02 5550 4711", "room 5"],
    "email": "dana@customers.example",
    "other_emails": ["work@customers.example"],
    "address": "4 Hill Road",
    "notes": "Beware of the dog",
}


@pytest.fixture
def dana(api: ApiCaller) -> dict[str, Any]:
    answer = api("POST", "/customers", DANA)
    assert answer.status_code == 201, answer.content
    assert answer["Location"] == f"/api/v1/customers/{answer.json()['id']}"
    found: dict[str, Any] = answer.json()
    return found


def booked_for(api: ApiCaller, hour: int = 1, **more: Any) -> Any:
    start = {"start": tomorrow_at(hour).isoformat(), "end": tomorrow_at(hour, 30).isoformat()}
    return api("POST", "/appointments", {**PLAIN, **start, **more})


def test_a_customer_is_stored_as_it_can_be_used(api: ApiCaller, dana: dict[str, Any]) -> None:
    assert dana["phones"] == ["+61255504711"]
    assert dana["other_phones"] == ["room 5"]
    assert api("GET", f"/customers/{dana['id']}").json() == dana
    assert {name: dana[name] for name in ("name", "email", "address", "notes")} == {
        name: DANA[name] for name in ("name", "email", "address", "notes")
    }


def test_a_repeated_request_makes_one(api: ApiCaller) -> None:
    made = [
        api("POST", "/customers", DANA, **{"Idempotency-Key": "once"}).json()["id"] for _ in "12"
    ]
    assert made[0] == made[1]
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "Dana W."}, {"name": "Dana W."}),
        ({"phones": []}, {"phones": [], "other_phones": ["room 5"]}),
        ({"other_phones": []}, {"phones": ["+61255504711"], "other_phones": []}),
        (
            {"phones": ["0412 345 678", "?"]},
            {"phones": ["+61412345678"], "other_phones": ["?", "room 5"]},
        ),
        ({"email": "new@customers.example"}, {"email": "new@customers.example"}),
        ({"email": ""}, {"email": "work@customers.example", "other_emails": []}),
        ({"other_emails": []}, {"email": "dana@customers.example", "other_emails": []}),
        ({"notes": "", "address": ""}, {"notes": "", "address": ""}),
        ({}, {}),
    ],
)
def test_a_change_touches_what_it_names(
    api: ApiCaller, dana: dict[str, Any], change: dict[str, Any], told: dict[str, Any]
) -> None:
    changed = api("PATCH", f"/customers/{dana['id']}", change)
    assert changed.status_code == 200, changed.content
    expected = {**dana, **told, "updated_at": changed.json()["updated_at"]}
    assert changed.json() == expected
    assert api("GET", f"/customers/{dana['id']}").json() == expected


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "​"}, "name"),
        ({"address": "4 Hill Road"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"email": "nonsense"}, "email"),
        ({"phones": ["1" * 51]}, "phones"),
        ({"phones": [str(n) for n in range(11)]}, "phones"),
        ({"phones": "02 5550 4711"}, "phones"),
        ({"name": "x", "phone": "1"}, "phone"),
        ({"name": "x", "notes": "x" * 5001}, "notes"),
    ],
)
def test_what_cannot_be_is_named(
    api: ApiCaller, dana: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    assert field in errors(api("POST", "/customers", body))
    if body:
        plain = {"name": "", "phones": [], "other_phones": [], "email": "", "other_emails": []}
        assert field in errors(api("PATCH", f"/customers/{dana['id']}", {**plain, **body}))
    assert Customer.objects.get().name == DANA["name"]


def test_null_is_refused(api: ApiCaller, dana: dict[str, Any]) -> None:
    assert "name" in errors(api("PATCH", f"/customers/{dana['id']}", {"name": None}))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        *(("winter", True), ("WINTERB dana", True), ("5550 4711", True), ("(02) 5550-4711", True)),
        *(("+61 2 5550", True), ("4711", True), ("work@", True), ("hill road", True)),
        *(("dog", True), ("da", True), ("nobody", False), ("winter nobody", False)),
        *(("%", False), ("_", False), ("\\", False), ("in", False), ("\x00", False)),
    ],
)
def test_a_search_finds_by_any_of_it(
    api: ApiCaller, dana: dict[str, Any], asked: str, found: bool
) -> None:
    api("POST", "/customers", {"name": "Eve Stone", "email": "eve@customers.example"})
    items = api("GET", f"/customers?q={_quoted(asked)}").json()["items"]
    assert [item["id"] for item in items] == ([dana["id"]] if found else [])


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text)


def test_the_list_goes_on_by_name_and_misses_nobody(api: ApiCaller) -> None:
    names = ["Zoë", "anna", "Änne", "Bert", "bert", "Bert"]
    for name in names:
        api("POST", "/customers", {"name": name})
    seen, cursor = [], ""
    while True:
        page = api("GET", f"/customers?limit=2&cursor={cursor}").json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [name.casefold() for name in seen] == ["anna", "änne", "bert", "bert", "bert", "zoë"]
    nobody = "00000000-0000-0000-0000-000000000000"
    forged = [[], ["a", 1], None, [1, nobody], ["\ud800", nobody], ["\x00", nobody], ["a", "b"]]
    for wrong in ("x", *(b64encode(dumps(one).encode()).decode() for one in forged)):
        assert "cursor" in errors(api("GET", f"/customers?cursor={_quoted(wrong)}"))
    assert "limit" in errors(api("GET", "/customers?limit=0"))


# Appointments


def test_an_appointment_names_its_customer_by_id(api: ApiCaller, dana: dict[str, Any]) -> None:
    told = {"name": DANA["name"], "phone": "+61255504711", "email": DANA["email"]}
    ways: list[dict[str, Any]] = [
        {"customer": {"id": dana["id"]}},
        {"customer_id": dana["id"]},
        {"customer": {"id": dana["id"]}, "customer_id": dana["id"]},
    ]
    for hour, way in enumerate(ways):
        answer = booked_for(api, hour, **way)
        assert answer.status_code == 201, answer.content
        assert (answer.json()["customer"], answer.json()["customer_id"]) == (told, dana["id"])
    listed = api("GET", f"/customers/{dana['id']}/appointments?limit=2").json()
    assert len(listed["items"]) == 2
    rest = api("GET", f"/customers/{dana['id']}/appointments?cursor={listed['next_cursor']}").json()
    assert [item["customer_id"] for item in rest["items"]] == [dana["id"]]


def test_by_words_all_is_as_before_and_the_customer_is_found(
    api: ApiCaller, dana: dict[str, Any]
) -> None:
    words = {"name": "D. W.", "phone": "02 5550 4711", "email": ""}
    made = booked_for(api, customer=words).json()
    assert (made["customer"], made["customer_id"]) == (words, dana["id"])
    new = booked_for(api, 3, customer={"name": "Eve"}).json()
    assert new["customer"] == {"name": "Eve", "phone": "", "email": ""}
    assert api("GET", f"/customers/{new['customer_id']}").json()["name"] == "Eve"
    nobody = booked_for(api, 5).json()
    assert (nobody["customer"], nobody["customer_id"]) == (None, None)


def test_a_change_can_be_for_another_customer_or_nobody(
    api: ApiCaller, dana: dict[str, Any]
) -> None:
    made = booked_for(api, customer={"name": "Eve", "email": "eve@customers.example"}).json()
    path = f"/appointments/{made['id']}"
    changed = api("PATCH", path, {"customer_id": dana["id"]}).json()
    assert (changed["customer"]["name"], changed["customer_id"]) == (DANA["name"], dana["id"])
    kept = api("PATCH", path, {"title": "Other"}).json()
    assert kept["customer_id"] == dana["id"]
    for nobody in ({"customer": None}, {"customer_id": None}):
        api("PATCH", path, {"customer_id": dana["id"]})
        changed = api("PATCH", path, nobody).json()
        assert (changed["customer"], changed["customer_id"]) == (None, None)


def test_a_customer_who_is_none_is_refused(api: ApiCaller, dana: dict[str, Any]) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert "customer_id" in errors(booked_for(api, customer_id=nobody))
    assert "customer_id" in errors(booked_for(api, customer_id=dana["id"], customer={"id": nobody}))
    assert "customer.id" in errors(booked_for(api, customer={"id": "x"}))
    assert not Appointment.objects.exists()


# Merging and deleting


def test_two_become_one(api: ApiCaller, dana: dict[str, Any]) -> None:
    other = api("POST", "/customers", {"name": "D.", "phones": ["0412 345 678"]}).json()
    booked = booked_for(api, customer_id=other["id"]).json()
    for _ in range(2):  # idempotent
        answer = api("POST", f"/customers/{dana['id']}/merge", {"customer_id": other["id"]})
        assert answer.json()["phones"] == ["+61255504711", "+61412345678"]
    assert api("GET", f"/customers/{other['id']}").json()["id"] == dana["id"]
    assert api("GET", f"/appointments/{booked['id']}").json()["customer_id"] == dana["id"]
    itself = api("POST", f"/customers/{dana['id']}/merge", {"customer_id": dana["id"]})
    assert "customer_id" in errors(itself)


def test_only_owners_and_admins_delete(
    api: ApiCaller,
    api_of: Callable[[Member], ApiCaller],
    bob: Member,
    dana: dict[str, Any],
) -> None:
    booked = booked_for(api, customer_id=dana["id"]).json()
    members = api_of(bob)
    assert members("GET", f"/customers/{dana['id']}").status_code == 200
    assert members("PATCH", f"/customers/{dana['id']}", {"notes": "x"}).status_code == 200
    problem(members("DELETE", f"/customers/{dana['id']}"), 403)
    assert api("DELETE", f"/customers/{dana['id']}").status_code == 204
    problem(api("GET", f"/customers/{dana['id']}"), 404)
    problem(api("DELETE", f"/customers/{dana['id']}"), 404)
    kept = api("GET", f"/appointments/{booked['id']}").json()
    assert (kept["customer"]["name"], kept["customer_id"]) == (DANA["name"], None)
    entry = Entry.objects.get(act=Act.CUSTOMER_DELETED)
    assert (str(entry.subject_id), entry.subject_label) == (dana["id"], "")


def test_the_customers_of_another_business_are_nobody(
    api_of: Callable[[Member], ApiCaller], charlie: Member, api: ApiCaller, dana: dict[str, Any]
) -> None:
    theirs = api_of(charlie)
    assert theirs("GET", "/customers").json()["items"] == []
    assert theirs("GET", "/customers?q=winterbottom").json()["items"] == []
    assert "customer_id" in errors(booked_for(theirs, customer_id=dana["id"]))
    own = theirs("POST", "/customers", {"name": "Own"}).json()
    problem(theirs("POST", f"/customers/{own['id']}/merge", {"customer_id": dana["id"]}), 404)
    problem(theirs("POST", f"/customers/{dana['id']}/merge", {"customer_id": own["id"]}), 404)
    problem(theirs("POST", "/customers/erase", {"customer_id": dana["id"], "preview": False}), 404)
    assert api("GET", f"/customers/{dana['id']}").json() == dana
