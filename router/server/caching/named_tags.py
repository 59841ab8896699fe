"""Tags by names of a subgraph's own: by headers of its answer, or in its extensions, there for each entity too.

``{"data": ..., "extensions": {"apolloCacheTags": ["sale"], "apolloEntityCacheTags": [["mugs"], []]}}`` names all of the
answer ``sale``, and its first entity ``mugs``. These members are those that subgraphs for Apollo Router write.
"""

from __future__ import annotations

from collections.abc import Sequence

from router.execution.json_numbers import decode_exact
from router.execution.subgraph_client import SubgraphResponse
from router.server.caching.lifetime import surrogate_keys
from router.server.caching.selected import MAX_TAGS

OF_ANSWER, OF_ENTITIES = "apolloCacheTags", "apolloEntityCacheTags"
_EITHER = b'CacheTags"'


def named_tags(response: SubgraphResponse, parts: int) -> Sequence[frozenset[str]] | None:
    """The names of each of the ``parts`` that were asked for, in their order: several lists one after the other.

    None where the extensions name them in another form, or too often: what cannot be dropped by its name must not be
    kept. ``response`` is one that was read as a GraphQL answer.
    """
    for_all = surrogate_keys(response.headers)
    if _EITHER not in response.body:
        return [for_all] * parts
    extensions = decode_exact(response.body).get("extensions")
    told = extensions if type(extensions) is dict else {}
    of_answer, of_entities = told.get(OF_ANSWER, []), told.get(OF_ENTITIES, [[]] * parts)
    if type(of_entities) is not list or len(of_entities) != parts:
        return None
    if not all(map(_are_names, (of_answer, *of_entities))):
        return None
    names = [for_all.union(of_answer, own) for own in of_entities]
    return names if all(len(one) <= MAX_TAGS for one in names) else None


def _are_names(value: object) -> bool:
    return type(value) is list and all(type(name) is str for name in value)
