"""The live page in a real browser against the running service.

``service`` is a running Seal Tracker whose plan has at least two armed journeys on routes; of it only ``ready`` is used, the object
that the service writes when it takes pings.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from parts import wait_until
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
"""WebGL without a graphics card."""

AXE = Path(__file__).parents[2] / "seal_tracker/web/ui/node_modules/axe-core/axe.min.js"
COUNT_COLOURS = """async (png) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const counts = new Map();
  for (const pixel of new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer))
    counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a);
}"""

PATIENCE_MS = 60_000
LANGUAGE = "en-GB"
expect.set_options(timeout=PATIENCE_MS)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"
)


class Service(Protocol):
    """What is used of the fixture ``service``."""

    @property
    def ready(self) -> Mapping[str, Any]: ...


@dataclass
class Visit:
    """A page and what went on in it."""

    page: Page
    service: Service
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.page.goto(self.service.ready["http"])

    def sign_in(self, password: str | None = None, role: str = "operator") -> None:
        account = self.service.ready["accounts"][role]
        self.page.get_by_label("User name").fill(account["username"])
        self.page.get_by_label("Password").fill(account["password"] if password is None else password)
        self.page.keyboard.press("Enter")

    def enter(self, role: str = "operator") -> None:
        """Open the page, sign in and wait until it is live."""
        self.open()
        self.sign_in(role=role)
        self.expect_state("live")
        expect(self.page.locator(".map canvas")).to_be_visible()

    def expect_state(self, state: str) -> None:
        expect(self.page.locator(f".connection[data-state={state}]")).to_be_visible()

    def violations(self) -> list[str]:
        """What axe-core finds serious or critical here and now."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("async () => (await axe.run()).violations")
        return [
            f"{v['id']}: {v['nodes'][0]['html']}" for v in found if v["impact"] in {"serious", "critical"}
        ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale=LANGUAGE)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    visited = Visit(page, service)
    page.on("request", lambda request: visited.hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: visited.errors.append(str(error)))
    page.on(
        "console", lambda said: visited.errors.append(said.text) if "Content Security" in said.text else None
    )
    yield visited
    context.close()
    assert visited.errors == []


def answer(service: Service, path: str) -> Any:
    """What the API says to the operator."""
    token = service.ready["accounts"]["operator"]["token"]
    request = urllib.request.Request(
        service.ready["http"].rstrip("/") + path, headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def close_alarm(service: Service, journey: str) -> None:
    """The open alarm of a cut rope on a journey is closed, and its episode ended."""
    (alarm,) = answer(service, f"/api/v1/alarms?open=true&journey={journey}&type=SEAL_TAMPER")["items"]
    request = urllib.request.Request(
        f"{service.ready['http'].rstrip('/')}/api/v1/alarms/{alarm['alarm']}/close",
        json.dumps({"code": "resolved", "note": "a new rope", "reset": True}).encode(),
        {
            "Authorization": f"Bearer {service.ready['accounts']['supervisor']['token']}",
            "Content-Type": "application/json",
            "If-Match": f'"{alarm["version"]}"',
        },
    )
    urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture
def publish(service: Service) -> Iterator[Callable[[str, Mapping[str, Any]], None]]:
    """Publish a ping as the gateway does; returns when the broker, and so the store, has it."""
    account, address = service.ready["accounts"]["gateway"], service.ready["mqtt"]
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(account["username"], account["password"])
    client.connect(address["host"], int(address["port"]), 30)
    client.loop_start()

    def one(seal: str, ping: Mapping[str, Any]) -> None:
        topic = f"eseal/v1/{service.ready['tenant']}/dev/{seal}/ping"
        client.publish(topic, json.dumps(ping), qos=1).wait_for_publish(60)

    yield one
    client.disconnect()
    client.loop_stop()


def armed_journey(service: Service, number: int) -> tuple[str, str, list[float]]:
    """The id and seal of an armed journey on a route, and where that route starts."""
    routes = {f["id"]: f["geometry"]["coordinates"][0] for f in answer(service, "/api/v1/routes")["features"]}
    journeys = answer(service, "/api/v1/journeys?limit=1000")["items"]
    armed = [j for j in journeys if j["route"] in routes and not j["disarmed_at"]]
    chosen = armed[number]
    return chosen["id"], chosen["seal"], routes[chosen["route"]]


def rope_cut(at: list[float]) -> dict[str, Any]:
    now = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "time": now,
        "lon": at[0],
        "lat": at[1],
        "valid": True,
        "speed_kmh": 0,
        "lock": "cut",
        "facts": ["rope_cut"],
    }


def colours(visit: Visit) -> list[int]:
    """How many pixels of the map have each colour, the most frequent first."""
    picture = base64.b64encode(visit.page.locator(".map canvas").screenshot()).decode()
    counts: list[int] = visit.page.evaluate(COUNT_COLOURS, picture)
    return counts


def test_page_signs_in_and_draws_the_map_and_asks_nobody_else(visit: Visit) -> None:
    """Everything comes from the service itself, under its content security policy; the map shows land, sea and plan."""
    visit.enter()

    def drawn() -> bool:  # there is no event for it: tiles fade in
        found = colours(visit)
        return len(found) > 50 and found[0] < 0.9 * sum(found)

    wait_until(drawn, what="the map is drawn")
    assert visit.hosts - {""} == {urlsplit(visit.service.ready["http"]).netloc}


def test_wrong_password_is_refused_in_words(visit: Visit) -> None:
    """Who is refused learns why, and stays on the form."""
    visit.open()
    visit.sign_in("not the password")
    expect(visit.page.get_by_role("alert")).to_contain_text("wrong")
    expect(visit.page.get_by_label("Password")).to_be_visible()


def test_a_password_that_was_given_is_changed_before_anything_else(visit: Visit) -> None:
    """As the first administrator's: the form says what is wrong with a new one, and leads on to the live page."""
    body = json.dumps({"username": "newcomer", "role": "operator"}).encode()
    token = visit.service.ready["accounts"]["administrator"]["token"]
    request = urllib.request.Request(
        visit.service.ready["http"].rstrip("/") + "/api/v1/accounts",
        body,
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as made:
        given = json.load(made)["password"]
    page = visit.page
    visit.open()
    page.get_by_label("User name").fill("newcomer")
    page.get_by_label("Password").fill(given)
    page.keyboard.press("Enter")
    page.get_by_label("The password you were given").fill(given)
    for weak, words in (("123456789012", "everybody"), ("short", "12")):
        page.get_by_label("New password, 12").fill(weak)
        page.get_by_label("New password once more").fill(weak)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text(words)
    page.get_by_label("New password, 12").fill("four words nobody joins")
    page.get_by_label("New password once more").fill("four words nobody joins")
    page.keyboard.press("Enter")
    visit.expect_state("live")


def test_event_appears_by_itself_and_survives_a_reload(
    visit: Visit, publish: Callable[[str, Mapping[str, Any]], None]
) -> None:
    """A rope cut on the road is an alarm at once, and an event; both are still there when the page is loaded again."""
    visit.enter()
    journey, seal, start = armed_journey(visit.service, 0)
    publish(seal, rope_cut(start))
    alarm = visit.page.locator(".alarm", has_text="Seal tampered").filter(has_text=journey).first
    expect(alarm).to_have_attribute("data-calls", "true")
    for _ in range(2):
        visit.page.get_by_role("button", name="Events").click()
        row = visit.page.locator(".row", has_text="Seal tampered").filter(has_text=journey).first
        expect(row).to_contain_text("rope cut")
        visit.page.reload()
        visit.expect_state("live")
        expect(alarm).to_be_visible()


def test_event_that_happened_while_the_network_was_gone_is_not_lost(
    visit: Visit, publish: Callable[[str, Mapping[str, Any]], None]
) -> None:
    """Without a network the page says so and calls nothing live; with it again it catches up: what is new is there, what was closed is gone."""
    visit.enter()
    before, other, there = armed_journey(visit.service, 0)
    publish(other, rope_cut(there))
    closed = visit.page.locator(".alarm", has_text="Seal tampered").filter(has_text=before)
    expect(closed).to_have_count(1)
    journey, seal, start = armed_journey(visit.service, 1)
    visit.page.context.set_offline(True)
    expect(visit.page.locator(".connection[data-state=live]")).not_to_be_visible()
    expect(visit.page.locator(".count-value").first).to_contain_text("0 of")
    publish(seal, rope_cut(start))
    close_alarm(visit.service, before)
    visit.page.context.set_offline(False)
    visit.expect_state("live")
    expect(closed).to_have_count(0)
    expect(
        visit.page.locator(".alarm", has_text="Seal tampered").filter(has_text=journey).first
    ).to_be_visible()


def test_an_alarm_is_handled_by_keys_alone_and_others_see_it(
    visit: Visit, browser: Browser, publish: Callable[[str, Mapping[str, Any]], None]
) -> None:
    """j chooses, a acknowledges, n writes a note; a second operator's page shows who, by itself; a reload loses nothing."""
    visit.enter()
    journey, seal, start = armed_journey(visit.service, 0)
    publish(seal, rope_cut(start))
    second = browser.new_context(viewport={"width": 1366, "height": 768}, locale=LANGUAGE)
    other = Visit(second.new_page(), visit.service)
    other.enter()
    mine, theirs = (
        v.page.locator(".alarm", has_text=journey).filter(has_text="Seal tampered").first
        for v in (visit, other)
    )
    expect(mine).to_be_visible()
    expect(theirs).to_be_visible()
    visit.page.keyboard.press("/")
    visit.page.keyboard.type(journey)
    visit.page.keyboard.press("Escape")
    visit.page.keyboard.press("j")
    expect(mine).to_have_attribute("aria-current", "true")
    expect(visit.page).to_have_url(re.compile(rf"#/alarms/[0-9a-f-]+\?text={journey}"))
    visit.page.keyboard.press("a")
    expect(theirs).to_contain_text("acknowledged by")
    visit.page.keyboard.press("n")
    expect(visit.page.get_by_role("dialog")).to_be_visible()
    visit.page.keyboard.type("the driver answers")
    visit.page.get_by_role("button", name="Note", exact=True).click()
    expect(visit.page.locator(".history")).to_contain_text("the driver answers")
    visit.page.reload()
    visit.expect_state("live")
    expect(mine).to_contain_text("1 notes")
    second.close()


def test_every_word_is_vietnamese_after_one_click(visit: Visit) -> None:
    """The language is chosen on the page and remembered."""
    visit.enter()
    visit.page.get_by_role("button", name="VI: Tiếng Việt").click()
    expect(visit.page.locator(".connection")).to_have_text("Trực tuyến")
    visit.page.reload()
    expect(visit.page.get_by_role("button", name="Đăng xuất")).to_be_visible()


def test_leaving_ends_the_session(visit: Visit) -> None:
    """After signing out a reload asks for the password again."""
    visit.enter()
    visit.page.get_by_role("button", name="Sign out").click()
    expect(visit.page.get_by_label("Password")).to_be_visible()
    visit.page.reload()
    expect(visit.page.get_by_label("Password")).to_be_visible()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not there (npm ci in seal_tracker/web/ui)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_the_way_of_anyone(visit: Visit, scheme: Any) -> None:
    """axe-core finds nothing serious or critical on the form, the events and the open episodes, by day and by night."""
    visit.page.emulate_media(color_scheme=scheme)
    visit.open()
    expect(visit.page.get_by_label("Password")).to_be_visible()
    assert visit.violations() == []
    visit.sign_in()
    visit.expect_state("live")
    expect(visit.page.locator(".alarm").first).to_be_visible()
    assert visit.violations() == []
    visit.page.keyboard.press("j")
    expect(visit.page.locator(".detail")).to_be_visible()
    assert visit.violations() == []
    visit.page.keyboard.press("?")
    expect(visit.page.get_by_role("dialog")).to_be_visible()
    assert visit.violations() == []
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("button", name="Events").click()
    assert visit.violations() == []


def test_every_view_opens_and_stands_in_nobodys_way(visit: Visit) -> None:
    """Each view of the bar loads its own code, shows what the service says, and axe-core finds nothing serious in it."""
    visit.enter()
    names = visit.page.locator(".ways a").all_inner_texts()
    assert len(names) >= 6
    for name in names:
        visit.page.get_by_role("link", name=name, exact=True).click()
        expect(visit.page).to_have_title(f"{name} · Seal Tracker")
        expect(visit.page.locator(".view > :first-child")).not_to_have_text("Loading…")
        assert visit.violations() == [], name
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 1366, name


def test_a_journey_is_replayed_and_leads_to_what_happened(
    visit: Visit, publish: Callable[[str, Mapping[str, Any]], None]
) -> None:
    """Its track has a scrubber and plots, its alarm is a way back to the list."""
    journey, seal, start = armed_journey(visit.service, 0)
    publish(seal, rope_cut(start))
    visit.enter()
    visit.page.get_by_role("link", name="Journeys", exact=True).click()
    visit.page.get_by_role("link", name=journey, exact=True).click()
    expect(visit.page.locator(".scrubber output")).not_to_be_empty()
    expect(visit.page.locator(".plots canvas").first).to_be_visible()
    expect(visit.page.locator(".history")).to_contain_text("Seal tampered with: raised")
    visit.page.locator(".journey-alarms a").first.click()
    expect(visit.page.locator(".detail")).to_contain_text(journey)


def test_a_zone_is_drawn_tried_and_saved(visit: Visit) -> None:
    """By clicks on the map; what it would have done last week is told before it is a version of the plan, and it can be removed again."""
    visit.enter("supervisor")
    page = visit.page
    page.get_by_role("link", name="Plan", exact=True).click()
    page.get_by_role("button", name="New area").click()
    page.get_by_label("Id").fill("DRAWN")
    expect(page.locator(".editor .hint")).to_contain_text("to draw")
    box = page.locator(".map canvas").bounding_box()
    assert box is not None
    save = page.get_by_role("button", name="Save as a version")
    for dx, dy in ((200, 200), (400, 220), (380, 400), (210, 380), (210, 380)):
        page.mouse.click(box["x"] + dx, box["y"] + dy)
        page.wait_for_timeout(300)  # two clicks at once are a double click
    expect(save).to_be_enabled()
    page.get_by_role("button", name="Try on last week").click()
    expect(page.locator(".tried")).to_contain_text("journeys under way")
    save.click()
    expect(page.get_by_role("button", name="Zones (")).to_be_visible()
    expect(page.locator(".plan-row", has_text="DRAWN")).to_be_visible()
    drawn = next(f for f in answer(visit.service, "/api/v1/zones")["features"] if f["id"] == "DRAWN")
    assert len(drawn["geometry"]["coordinates"][0]) == 5
    page.locator(".plan-row", has_text="DRAWN").click()
    page.once("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator(".plan-row", has_text="DRAWN")).to_have_count(0)


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not there (npm ci in seal_tracker/web/ui)")
@pytest.mark.parametrize("size", [(1920, 1080), (390, 844)], ids=["wall", "phone"])
def test_the_wall_shows_the_most_urgent_without_a_hand(
    visit: Visit, publish: Callable[[str, Mapping[str, Any]], None], size: tuple[int, int]
) -> None:
    """Counts, alarms in large print and the map; no bar, nothing serious for axe-core; without a network it says so; Esc leads back."""
    page = visit.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    visit.enter()
    journey, seal, start = armed_journey(visit.service, 2)
    publish(seal, rope_cut(start))
    page.get_by_role("link", name="Wall", exact=True).click()
    line = page.locator(".wall-alarm", has_text="Seal tampered").filter(has_text=journey)
    expect(line).to_have_attribute("data-calls", "true")
    expect(page.locator(".map canvas")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    assert visit.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.context.set_offline(True)
    expect(page.locator(".wall[data-live=false]")).to_contain_text("Reconnecting")
    page.context.set_offline(False)
    visit.expect_state("live")
    page.keyboard.press("Escape")
    expect(page.locator(".alarm", has_text=journey).first).to_be_visible()


def test_page_fits_a_phone(visit: Visit) -> None:
    """Nothing is wider than the screen of a phone, and map and list are both there."""
    visit.page.set_viewport_size({"width": 390, "height": 844})
    visit.enter()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(visit.page.get_by_role("button", name="Alarms (")).to_be_visible()
