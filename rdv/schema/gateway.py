"""What the schema tells a gateway that federates it: whom a field is for, and how much comes back.

These directives spare the gateway requests in vain; they protect nothing. Every resolver decides for itself, by
`usecases.access`, and a field that answers strangers with an empty list carries no directive: the gateway would turn
the whole object into null. Scopes are the kinds of a token (`rdv_kind`), policies the modules of the matrix.
"""

from strawberry import UNSET
from strawberry.federation.schema_directives import Cost, ListSize

USAGER = [["rdv:usager"]]
STAFF = [["rdv:agent"], ["rdv:administrator"]]
MANAGES_APPOINTMENTS = [["rdv:APPOINTMENTS"]]

# Weights count objects, as gateways do: what runs the engine over weeks of one office, looks across the country,
# compares a year of an office before and after changes, or changes hundreds of offices. `cost.py` adds to these.
ENGINE = Cost(weight=50)
COUNTRY = Cost(weight=2_000)
YEAR = Cost(weight=2_000)
MANY_OFFICES = Cost(weight=5_000)
# What somebody does once, and somebody who means harm many times in a request, of which callers have so many a minute:
# take places, or ask for the whole schema.
ONCE = Cost(weight=20_000)


def about(items: int) -> ListSize:
    """Say how long a list usually is."""
    return ListSize(assumed_size=items, slicing_arguments=UNSET, sized_fields=UNSET, require_one_slicing_argument=UNSET)


def page_of(items: int) -> ListSize:
    """Say that `first` gives the number of edges, and what it is when nobody says."""
    return ListSize(
        assumed_size=items, slicing_arguments=["first"], sized_fields=["edges"], require_one_slicing_argument=False
    )
