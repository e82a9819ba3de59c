"""Which clock a département or overseas territory lives by."""

METROPOLITAN = "Europe/Paris"

_OVERSEAS = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}


def time_zone_of(departement: str) -> str:
    """Return the time zone; the Marquesas and Gambiers go by Tahiti's here, which no directory tells apart."""
    return _OVERSEAS.get(departement, METROPOLITAN)
