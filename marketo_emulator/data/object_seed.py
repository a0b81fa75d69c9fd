"""The custom objects there are from the start: one of each way to be linked (C§24.3)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from marketo_emulator.data.custom_objects import LEAD, Link, ObjectType
from marketo_emulator.data.fields import Field, FieldSet
from marketo_emulator.data.samples import AWKWARD_TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketo_emulator.data.values import Value

_DAY = 86_400
_AGE_DAYS = 400
_CARS, _TRACKS, _PURCHASES = 12, 4, 9
_GUID = Field("marketoGUID", "string", "Marketo GUID", 36, updateable=False)
_CREATED = Field("createdAt", "datetime", "Created At", updateable=False)
_UPDATED = Field("updatedAt", "datetime", "Updated At", updateable=False)


def _fields(*own: Field) -> FieldSet:
    return FieldSet((_GUID, _CREATED, _UPDATED, *own))


def object_types(now: int, history_days: int) -> dict[str, ObjectType]:
    """Return the types by API name, without records."""
    made = now - _age(history_days)
    lead = Link("leadID", LEAD, "Id", "id")
    types = (
        ObjectType(
            "car_c", "Car",
            _fields(
                Field("leadID", "integer", "Lead ID"),
                Field("vin", "string", "VIN", 36),
                Field("make", "string", "Make", 255),
                Field("model", "String", "Model", 255),
                Field("modelYear", "integer", "Model Year"),
                Field("price", "currency", "Price"),
                Field("mileage", "float", "Mileage"),
                Field("isLeased", "boolean", "Is Leased"),
                Field("purchasedOn", "date", "Purchased On"),
                Field("lastServiceAt", "datetime", "Last Service At"),
                Field("serviceNotes", "text", "Service Notes"),
            ),
            ("vin",), (lead,), made,
        ),
        # A bridge between leads and an edge, with a compound key.
        ObjectType(
            "trackSubscription_c", "Track Subscription",
            _fields(
                Field("leadID", "integer", "Lead ID"),
                Field("trackID", "string", "Track ID", 36),
                Field("wantsLunch", "boolean", "Wants Lunch"),
            ),
            ("leadID", "trackID"), (lead, Link("trackID", "track_c", "trackID")), made,
        ),
        ObjectType(
            "track_c", "Track",
            _fields(
                Field("trackID", "string", "Track ID", 36),
                Field("room", "string", "Room", 255),
            ),
            ("trackID",), (), made,
        ),
        # Made by the API, so without a suffix; linked by e-mail address.
        ObjectType(
            "purchaseHistory", "Purchase History",
            _fields(
                Field("leadEmail", "email", "Lead Email", 255),
                Field("productName", "string", "Product Name", 255),
                Field("quantity", "integer", "Quantity"),
            ),
            ("leadEmail", "productName"), (Link("leadEmail", LEAD, "Email Address", "email"),),
            made,
        ),
        ObjectType(
            "supplier_c", "Supplier",
            _fields(
                Field("companyID", "string", "Company ID", 50),
                Field("supplierName", "string", "Supplier Name", 255),
            ),
            ("companyID",), (Link("companyID", "Company", "externalCompanyId"),), made,
        ),
        ObjectType(
            "warranty_c", "Warranty",
            _fields(Field("leadID", "integer", "Lead ID"), Field("number", "string", "Number", 36)),
            ("number",), (lead,), made, state="draft",
        ),
    )  # fmt: skip
    return {made.name: made for made in types}


def fill_objects(
    types: dict[str, ObjectType], lead_ids: Sequence[int], *, seed: int, now: int, history_days: int
) -> None:
    """Give the types a few records each, spread over the time since they were made."""
    if not lead_ids:
        return
    random = Random(seed)  # noqa: S311 - made-up people, not secrets

    def put(name: str, values: dict[str, Value]) -> None:
        guid = str(UUID(int=random.getrandbits(128), version=4))
        created = now - random.randrange(_age(history_days))
        updated = created + random.randrange(now - created + 1)
        types[name].put(guid, values, created)
        types[name].put(guid, {"updatedAt": updated}, updated)

    for number in range(_CARS):
        put(
            "car_c",
            {
                "leadID": lead_ids[number * 5 % len(lead_ids)],
                "vin": f"VIN{number:014d}",
                "make": random.choice(("Škoda", "Citroën, SA", 'Lynk & "Co"')),
                "model": f"Model {number % 3}",
                "modelYear": 2015 + number,
                "price": random.choice((19999.5, 34.66, 100000.0)),
                "mileage": number * 1234.5,
                "isLeased": random.choice((True, False, None)),
                "purchasedOn": f"2025-0{number % 9 + 1}-15",
                "lastServiceAt": now - number * _DAY if number % 3 else None,
                "serviceNotes": random.choice((None, *AWKWARD_TEXTS)),
            },
        )
    for number in range(_TRACKS):
        put("track_c", {"trackID": f"T{number}", "room": f"Room {number}"})
        lead_id = lead_ids[number * 3 % len(lead_ids)]
        subscription: dict[str, Value] = {"leadID": lead_id, "trackID": f"T{number % 2}"}
        put("trackSubscription_c", {**subscription, "wantsLunch": number % 2 == 0})
    for number in range(_PURCHASES):
        email = f"person{lead_ids[number % len(lead_ids)]}@example.com"
        product = ("Pen", "Notebook, A5", "Mug")[number % 3]
        put("purchaseHistory", {"leadEmail": email, "productName": product, "quantity": number})
    put("supplier_c", {"companyID": "C0001", "supplierName": "Acme, Inc."})


def _age(history_days: int) -> int:
    """Return for how many seconds there have been custom objects."""
    return min(_AGE_DAYS, history_days) * _DAY
