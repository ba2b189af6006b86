"""Words of English that say little of what a sentence is about: they agree by chance in any two sentences.

Other languages go without such a list: their common words are known by their number and their shortness only.
"""

from __future__ import annotations

_TEXT = """
    a about above after again against ago all almost along already also although always am among an and another any
    anyone anything anyway are around as ask asked at away back be became because become been before began behind
    being below beneath beside besides best better between beyond both but by call called came can cannot come could
    did didn do does doesn doing don done down during each either else enough even ever every everyone everything far
    few find first for found from gave get give given go goes going gone good got had has hasn have haven having he
    her here hers herself him himself his how however i if in indeed instead into is isn it its itself just keep kept
    knew know known last later least leave left less let like little ll long look looked make many may maybe me mean
    might mine more most mr mrs ms much must my myself near need neither never next no nobody none nor not nothing now
    nowhere of off often oh on once one only onto or other others our ours out over own perhaps please put quite
    rather re really right said same saw say says see seem seemed seen several shall she should since sir so some
    somebody someone something sometimes somewhere soon still such sure take taken tell than that the their theirs
    them themselves then there these they thing things think this those though thought through thus till to together
    told too took toward towards tried try turn turned twice two under until up upon us use used ve very want wanted
    was wasn way we well went were weren what whatever when where whether which while who whole whom whose why will
    with within without won would wouldn yes yet you your yours yourself
"""
COMMON_WORDS = frozenset(_TEXT.split())
