"""OGC API - Features, part 1 (17-069r4), core and GeoJSON: QGIS and its like open zones, routes and seals by their URL.

Read only; the same files and positions as the rest of the API, so the same scope and the same sign-in. Features come in the order of
their ids, so a page stays where it is while others are added. Links are whole addresses: QGIS and GDAL of before the middle of
2024, as distributions have them, follow no relative ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
import shapely
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.model import iso_ms
from seal_tracker.plans.edits import features_of
from seal_tracker.web.accounts import Right
from seal_tracker.web.addresses import own_address
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import NameCursor, encode_cursor
from seal_tracker.web.errors import Missing
from seal_tracker.web.feature_filters import box_of, matches, span_of
from seal_tracker.web.queries import Cursor, NoQuery, SpaceQuery, cursor_of, path_id, read_query
from seal_tracker.web.reading import known_space
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import Feature, seal_item

__all__ = ["ROUTES"]

BASE: Final = "/api/v1/ogc"
JSON: Final = "application/json"
GEO_JSON: Final = "application/geo+json"
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN: Final = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
CONFORMS_TO: Final = tuple(
    f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}" for name in ("core", "geojson")
)
"""Not ``oas30``: the API is described in OpenAPI 3.1, and that class wants 3.0."""

MOST_ITEMS: Final = 1000
"""Features in one page. Who asks for more gets this many: the standard forbids to refuse them."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection: what it is called, and how its features are read."""

    title: str
    description: str
    read: Callable[[web.Request, str], Awaitable[Mapping[str, Json]]]


class ItemsQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True):
    """A page of features within a box (``west,south,east,north``) and at a time or in an interval."""

    limit: Annotated[int, msgspec.Meta(ge=1)] = 100
    bbox: Annotated[str, msgspec.Meta(max_length=200)] | UnsetType = UNSET
    datetime: Annotated[str, msgspec.Meta(max_length=80)] | UnsetType = UNSET
    after: Cursor | UnsetType = UNSET


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link of a document."""

    href: str
    rel: str
    type: str
    title: str


class Landing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a client begins."""

    title: str
    description: str
    links: list[Link]


class Conformance(msgspec.Struct, frozen=True, kw_only=True):
    """What this conforms to."""

    conformsTo: list[str]  # noqa: N815 - the standard's name


class CollectionItem(msgspec.Struct, frozen=True, kw_only=True):
    """A collection of features."""

    id: str
    title: str
    description: str
    itemType: str  # noqa: N815 - the standard's name
    crs: list[str]
    extent: Json
    links: list[Link]


class CollectionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All collections."""

    collections: list[CollectionItem]
    links: list[Link]


class ItemsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A page of features; the link ``next`` leads to the one after."""

    type: str
    features: list[Json]
    links: list[Link]
    timeStamp: str  # noqa: N815 - the standard's name
    numberMatched: int  # noqa: N815
    numberReturned: int  # noqa: N815


async def landing(request: web.Request) -> web.Response:
    """Where a client begins."""
    read_query(request, NoQuery)
    ours = address_of(request)
    openapi = "application/vnd.oai.openapi+json;version=3.1"
    links = [
        link(f"{ours}{BASE}", "self", JSON, "this document"),
        link(f"{ours}/api/v1/openapi.json", "service-desc", openapi, "the API"),
        link(f"{ours}/api/v1/docs", "service-doc", "text/html", "the API, to read and try"),
        link(f"{ours}{BASE}/conformance", "conformance", JSON, "what this conforms to"),
        link(f"{ours}{BASE}/collections", "data", JSON, "the collections"),
    ]
    return told(
        Landing(
            title="Seal Tracker",
            description="Zones, routes and seals under customs supervision.",
            links=links,
        )
    )


async def landing_at_root(request: web.Request) -> web.Response:
    """The same at ``/`` below our address, which is the standard's own path for it."""
    return await landing(request)


async def conformance(request: web.Request) -> web.Response:
    """What this conforms to."""
    read_query(request, NoQuery)
    return told(Conformance(conformsTo=list(CONFORMS_TO)))


async def collections(request: web.Request) -> web.Response:
    """All collections."""
    read_query(request, NoQuery)
    ours = address_of(request)
    links = [link(f"{ours}{BASE}/collections", "self", JSON, "this document")]
    return told(CollectionsAnswer(collections=[described(name, ours) for name in COLLECTIONS], links=links))


async def collection(request: web.Request) -> web.Response:
    """One collection."""
    read_query(request, NoQuery)
    return told(described(known(request), address_of(request)))


async def items(request: web.Request) -> web.Response:
    """A page of a collection's features."""
    query = read_query(request, ItemsQuery)
    name = known(request)
    known_space(request, query.space)
    box, span = box_of(query.bbox), span_of(query.datetime)
    cursor = cursor_of(query.after, NameCursor)
    features = await COLLECTIONS[name].read(request, query.space)
    path = f"{address_of(request)}{BASE}/collections/{name}"
    return await asyncio.to_thread(page, name, path, features, query, box, span, cursor)


def page(
    name: str,
    address: str,
    features: Mapping[str, Json],
    query: ItemsQuery,
    box: shapely.Geometry | None,
    span: tuple[float, float] | None,
    cursor: NameCursor | None,
) -> web.Response:
    """The page after the cursor of those that match."""
    matched = [key for key in sorted(features) if matches(features[key], box, span)]
    rest = [key for key in matched if cursor is None or key > cursor.name]
    shown = rest[: min(query.limit, MOST_ITEMS)]
    here: Json = {"limit": query.limit, "space": query.space}
    here |= {k: v for k, v in (("bbox", query.bbox), ("datetime", query.datetime)) if v is not UNSET}
    path = f"{address}/items"
    links = [link(f"{path}?{urlencode(here)}", "self", GEO_JSON, "this page")]
    links.append(link(address, "collection", JSON, COLLECTIONS[name].title))
    if len(rest) > len(shown):
        onward = here | {"after": encode_cursor(NameCursor(shown[-1]))}
        links.append(link(f"{path}?{urlencode(onward)}", "next", GEO_JSON, "the next page"))
    answer = ItemsAnswer(
        type="FeatureCollection",
        features=[features[key] for key in shown],
        links=links,
        timeStamp=iso_ms(int(time.time() * 1000)),
        numberMatched=len(matched),
        numberReturned=len(shown),
    )
    return told(answer, GEO_JSON)


async def item(request: web.Request) -> web.Response:
    """One feature."""
    query = read_query(request, SpaceQuery)
    name, key = known(request), path_id(request, "feature")
    known_space(request, query.space)
    feature = (await COLLECTIONS[name].read(request, query.space)).get(key)
    if feature is None:
        raise Missing(f"{name} have no feature {key!r}", field="feature")
    path = f"{address_of(request)}{BASE}/collections/{name}"
    links = [
        link(f"{path}/items/{key}", "self", GEO_JSON, key),
        link(path, "collection", JSON, COLLECTIONS[name].title),
    ]
    return told({**feature, "links": links}, GEO_JSON)


def plan_features(file: str) -> Callable[[web.Request, str], Awaitable[Mapping[str, Json]]]:
    """Reads the features of a file of the plan in force."""

    async def read(request: web.Request, space: str) -> Mapping[str, Json]:
        plan = request.app[CONTEXT].live.plan(space)
        return await asyncio.to_thread(lambda: features_of(plan.files[file])) if plan else {}

    return read


async def seal_features(request: web.Request, space: str) -> Mapping[str, Json]:
    """Where each seal in scope was last seen."""
    scope, found = scope_of(request), {}
    for row in request.app[CONTEXT].live.positions(space):
        if row.lon_e7 is None or (scope is not None and row.unit not in scope):
            continue
        properties: Json = msgspec.to_builtins(seal_item(row))
        place = {"type": "Point", "coordinates": [properties.pop("lon"), properties.pop("lat")]}
        found[row.seal] = {"type": "Feature", "id": row.seal, "geometry": place, "properties": properties}
    return found


COLLECTIONS: Final[Mapping[str, Collection]] = {
    "zones": Collection("Zones", "Geofences of the plan in force.", plan_features("zones.geojson")),
    "routes": Collection("Routes", "Corridors of the plan in force.", plan_features("routes.geojson")),
    "seals": Collection("Seals", "Where each seal was last seen.", seal_features),
}


def known(request: web.Request) -> str:
    """The collection in the path."""
    name = path_id(request, "collection")
    if name not in COLLECTIONS:
        raise Missing(
            f"there is no collection {name!r}; there are {', '.join(COLLECTIONS)}", field="collection"
        )
    return name


def described(name: str, ours: str) -> CollectionItem:
    """A collection as its document says it; ``ours``: where the client found us."""
    path, its = f"{ours}{BASE}/collections/{name}", COLLECTIONS[name]
    return CollectionItem(
        id=name,
        title=its.title,
        description=its.description,
        itemType="feature",
        crs=[CRS84],
        extent={
            "spatial": {"bbox": [[-180, -90, 180, 90]], "crs": CRS84},
            "temporal": {"interval": [[None, None]], "trs": GREGORIAN},
        },
        links=[link(path, "self", JSON, its.title), link(f"{path}/items", "items", GEO_JSON, its.title)],
    )


def address_of(request: web.Request) -> str:
    """Where the client found us: before each link; empty, so that links are relative, where it does not say."""
    config, headers = request.app[CONTEXT].config, request.headers
    forwarded = headers.get("X-Forwarded-Host", "")
    return own_address(headers.get("Host", ""), forwarded, tls=config.tls, proxied=config.proxied)


def link(href: str, rel: str, kind: str, title: str) -> Link:
    """A link."""
    return Link(href=href, rel=rel, type=kind, title=title)


def told(value: Any, content_type: str = JSON) -> web.Response:
    """A JSON response."""
    response = web.Response(body=msgspec.json.encode(value), content_type=content_type)
    response.enable_compression()
    return response


def _routes() -> Iterable[Route]:
    one = f"{BASE}/collections/{{collection}}"
    yield Route(
        "GET", BASE, landing, Right.READ, "OGC API - Features: where a client begins.", answer=Landing
    )
    yield Route("GET", f"{BASE}/", landing_at_root, Right.READ, "The same.", answer=Landing)
    yield Route(
        "GET", f"{BASE}/conformance", conformance, Right.READ, "What it conforms to.", answer=Conformance
    )
    yield Route(
        "GET",
        f"{BASE}/collections",
        collections,
        Right.READ,
        "Its collections.",
        answer=CollectionsAnswer,
        leads={f"{one}/items": {"collection": "/collections/0/id"}},
    )
    yield Route("GET", one, collection, Right.READ, "One collection.", answer=CollectionItem)
    yield Route(
        "GET",
        f"{one}/items",
        items,
        Right.READ,
        "Features of a collection.",
        query=ItemsQuery,
        answer=ItemsAnswer,
        media=(GEO_JSON,),
        leads={
            f"{one}/items/{{feature}}": {
                "collection": "$request.path.collection",
                "feature": "/features/0/id",
            }
        },
    )
    yield Route(
        "GET", f"{one}/items/{{feature}}", item, Right.READ, "One feature.", query=SpaceQuery, answer=Feature, media=(GEO_JSON,)
    )  # fmt: skip


ROUTES: Final = tuple(_routes())
