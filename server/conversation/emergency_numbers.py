"""Which number brings help at a business, as far as its time zone tells the country.

Israel has a number for each service; the European Union and its neighbours share 112, which works in Britain
beside 999; the United States and Canada have 911. Elsewhere no number is better than a wrong one.
"""

from __future__ import annotations

from enum import StrEnum


class Service(StrEnum):
    """Who is needed; ``ANY`` where that cannot be told."""

    FIRE = "fire"
    AMBULANCE = "ambulance"
    POLICE = "police"
    ANY = "any"


_ISRAEL = {Service.FIRE: "102", Service.AMBULANCE: "101", Service.POLICE: "100"}
_ISRAELI_ZONES = frozenset({"Asia/Jerusalem", "Asia/Tel_Aviv", "Israel"})
_BRITISH_ZONES = frozenset(
    {
        "Europe/London", "Europe/Belfast", "Europe/Jersey", "Europe/Guernsey", "Europe/Isle_of_Man", "GB",
        "GB-Eire",
    }
)  # fmt: skip
_EUROPEAN_ZONES = frozenset(
    {
        "Arctic/Longyearbyen", "Asia/Famagusta", "Asia/Nicosia", "Atlantic/Azores", "Atlantic/Canary",
        "Atlantic/Faroe", "Atlantic/Madeira", "Atlantic/Reykjavik", "Africa/Ceuta", "CET", "EET", "WET",
        "MET", "Eire", "Iceland", "Poland", "Portugal", "Turkey",
    }
)  # fmt: skip
# The zones of the United States and of Canada; America/ holds those of two dozen other countries too.
_NORTH_AMERICAN_PREFIXES = (
    "US/",
    "Canada/",
    "America/Indiana/",
    "America/Kentucky/",
    "America/North_Dakota/",
)
_NORTH_AMERICAN_ZONES = frozenset({"Pacific/Honolulu", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"}) | {
    f"America/{city}"
    for city in (
        "Adak", "Anchorage", "Atikokan", "Blanc-Sablon", "Boise", "Cambridge_Bay", "Chicago", "Creston",
        "Dawson", "Dawson_Creek", "Denver", "Detroit", "Edmonton", "Fort_Nelson", "Fort_Wayne", "Glace_Bay",
        "Goose_Bay", "Halifax", "Indianapolis", "Inuvik", "Iqaluit", "Juneau", "Los_Angeles", "Louisville",
        "Menominee",
        "Metlakatla", "Moncton", "Montreal", "New_York", "Nipigon", "Nome", "Pangnirtung", "Phoenix",
        "Rainy_River", "Rankin_Inlet", "Regina", "Resolute", "Shiprock", "Sitka", "St_Johns", "Swift_Current",
        "Thunder_Bay", "Toronto", "Vancouver", "Whitehorse", "Winnipeg", "Yakutat", "Yellowknife",
    )
}  # fmt: skip


def emergency_numbers(service: Service, time_zone: str) -> tuple[str, ...]:
    """The numbers to call, best first; none where the country is not known."""
    if time_zone in _ISRAELI_ZONES:
        return tuple(_ISRAEL.values()) if service is Service.ANY else (_ISRAEL[service],)
    if time_zone in _BRITISH_ZONES:
        return ("999", "112")
    if time_zone in _NORTH_AMERICAN_ZONES or time_zone.startswith(_NORTH_AMERICAN_PREFIXES):
        return ("911",)
    if time_zone in _EUROPEAN_ZONES or time_zone.startswith("Europe/"):
        return ("112",)
    return ()
