"""Codes of languages, kept apart from the detector of languages: a recipe is checked without loading it."""

from __future__ import annotations

_CODES = """
af am an ar as az be bg bn br bs ca cs cy da de dz el en eo es et eu fa fi fo fr ga gl gu he hi hr ht hu hy id
is it ja jv ka kk km kn ko ku ky la lb lo lt lv mg mk ml mn mr ms mt nb ne nl nn no oc or pa pl ps pt qu ro ru
rw se si sk sl sq sr sv sw ta te th tl tr ug uk ur vi vo wa xh zh zu
"""

LANGUAGES = frozenset(_CODES.split())
"""ISO 639-1 codes of the languages that can be identified."""

_OTHER_CODES = """
aa ab ae ak av ay ba bh bi bm bo ce ch co cr cu cv dv ee ff fj fy gd gn gv ha ho hz ia ie ig ii ik io iu kg ki kj kl
kr ks kv kw lg li ln lu mh mi my na nd ng nr nv ny oj om os pi rm rn sa sc sd sg sh sm sn so ss st su tg ti tk tn to
ts tt tw ty uz ve yi yo za
"""

ISO_639_1 = LANGUAGES | frozenset(_OTHER_CODES.split())
"""All ISO 639-1 codes, for fields that name a language without identifying it."""
