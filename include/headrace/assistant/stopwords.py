"""Words that carry no meaning of their own in a question about figures; every other unknown word is named to the person."""

# ruff: noqa: SIM905 - a list of words reads best as text
from __future__ import annotations

STOP = frozenset(
    """a about all also am an and any are as at be been being between but by can could did do does done each every for
    from get give gave given go going got had has have how i if in into is it its just know let list like look made make many
    me much my no of on only or our out over overall per please pull see sell sells sold selling show shows so some split tell that
    the their them then there these they this those to total totals up us want was way we were what what's whats when where which
    while who with within would you your yes number amount figure figures value values count broken down breakdown grouped group
    across happened happening happen doing generate generated display plot chart graph draw answer question hi hello thanks
    thank same instead too well ones one during came come now report came whole entire company business ours worth
    earn earned there's i'd we've it's is was year time utc currently so far made take took respectively""".split()
)
PREPOSITIONS = frozenset("for in from of at with where by per on through via to under named called".split())
GROUPING = frozenset("by per each every across".split())
NEGATIONS = frozenset("except excluding exclude without not besides minus non excl".split())
AGGREGATES = frozenset(
    "average avg mean median maximum minimum max min percent percentage share ratio rate distinct unique cumulative running".split()
)
GENERAL = frozenset(
    "doing business performance performing numbers figures results status overview kpis stats statistics going money income".split()
)
ADDING = frozenset("also too additionally plus".split())
FOLLOWING = (
    "and ",
    "what about",
    "how about",
    "same ",
    "now ",
    "but ",
    "only ",
    "just ",
    "or ",
    "then ",
    "instead",
    "as a",
    "as an",
    "by ",
    "per ",
)
