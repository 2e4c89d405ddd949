"""The page inside Jira in a real browser: what an admin of a site sees and can do."""

import itertools
from collections.abc import Iterator
from html import escape

import pytest
from playwright.sync_api import Browser, expect

from infra.local.first_tenant import set_up
from infra.local.screen import Screen
from infra.local.stack import Stack
from infra.local.story import Story
from tests.e2e.page_stage import SECONDS, Visits, first_url_of, started_browser
from tests.e2e.states import arrives, await_replay, incidents, many
from tests.e2e.steering import Steering, wait_until
from tests.support.browser import required_browser
from tests.support.entities import incident
from tests.support.other_origin import served

NAME = "Operations"
REFUSED = 5000
JIRAS_WORDS = "The severity of this incident is not known here."
_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """The browser's path, asked for before the stack is started."""
    return required_browser()


# Playwright keeps an event loop running, so it ends before the tests of other modules.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=SECONDS * 1000)
    with started_browser(chromium) as browser:
        yield browser


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    """Every tab must end without a message on its console."""
    visits = Visits(browser)
    yield visits
    unexpected = visits.unexpected
    visits.close()
    assert unexpected == []


@pytest.fixture
def offered(stack: Stack) -> Iterator[Story]:
    """A site to which a workspace is offered, and none is linked."""
    number = next(_numbers)
    tenancy = set_up(stack, f"page-{number}", f"page-{number}", is_linked=False)
    with Story(stack, tenancy, Screen()) as story:
        yield story


@pytest.fixture(scope="module")
def crowded(stack: Stack) -> Iterator[Story]:
    """A site that shows one incident of its workspace and has refused 5,000."""
    tenancy = set_up(stack, "page-crowded", "page-crowded")
    with Story(stack, tenancy, Screen()) as story:
        await_replay(story)
        arrives(story, incidents(incident("shown")))
        fault = {"kind": "refuse entity", "message": JIRAS_WORDS, "pattern": "inc-"}
        story.jira.fail(tenancy.site_name, fault)
        story.submit(many(REFUSED))
        wait_until(lambda: not story.waiting(), "all is delivered")
        story.jira.fail(tenancy.site_name)
        yield story


def linked_workspaces(story: Story) -> list[str]:
    return list(story.jira.site(story.tenancy.site_name)["linkedWorkspaces"])


def test_the_first_steps_end_with_a_linked_workspace(offered: Story, visits: Visits) -> None:
    page = visits.open(offered)
    expect(page.heading("Start in three steps")).to_be_visible()
    expect(page.heading("Linked workspaces")).to_be_hidden()

    page.button(f"Link: {NAME}").click()

    expect(page.heading("Linked workspaces")).to_be_visible()
    expect(page.heading("Start in three steps")).to_be_hidden()
    expect(page.button(f"Link: {NAME}")).to_be_hidden()
    wait_until(
        lambda: linked_workspaces(offered) == [offered.tenancy.workspace_id], "Jira has the link"
    )


def test_a_replay_moves_until_it_is_done(story: Story, visits: Visits) -> None:
    # GIVEN two batches of incidents at a site, which then answers slowly
    count = 1100
    arrives(story, many(count))
    slow = {"kind": "slow", "seconds": 2.5, "operations": ["submitEntity"]}
    story.jira.fail(story.tenancy.site_name, slow)
    page = visits.open(story)

    # WHEN an admin has everything delivered again
    seen = page.values_of_the_bar()
    page.button(f"Deliver again: {NAME}").click()
    page.content.get_by_label("Everything").check()
    page.button("Deliver").click()

    # THEN the bar moves until the replay ends
    expect(page.content.get_by_role("progressbar")).to_be_visible()
    expect(page.content.get_by_text("Delivered everything")).to_be_visible()
    assert [value for value in seen() if 0 < value < count]


def test_a_refusal_is_shown_in_jiras_words(crowded: Story, visits: Visits) -> None:
    page = visits.open(crowded)
    first = page.content.get_by_role("listitem").filter(has_text="inc-00000")

    expect(first).to_contain_text(JIRAS_WORDS)
    expect(first.get_by_role("link", name="Alert 00000")).to_have_attribute(
        "href", "https://ops.example.com/incidents/inc-00000"
    )


def test_five_thousand_refused_entities_are_counted_and_paged(
    crowded: Story, visits: Visits
) -> None:
    page = visits.open(crowded)
    words = page.content.get_by_text(JIRAS_WORDS)

    expect(page.content.get_by_role("button", name=f"{REFUSED:,} refused")).to_be_visible()
    expect(words).to_have_count(50)
    page.button("Load more").click()

    expect(words).to_have_count(100)
    expect(page.button("Load more")).to_be_enabled()


def test_a_search_finds_one_of_five_thousand(crowded: Story, visits: Visits) -> None:
    page = visits.open(crowded)
    search = page.content.get_by_role("searchbox", name="Search")

    search.fill("alert 04711")
    expect(page.content.get_by_role("link", name="Alert 04711")).to_be_visible()
    expect(page.content.get_by_text(JIRAS_WORDS)).to_have_count(1)


def test_unlinking_warns_before_jira_deletes(story: Story, visits: Visits) -> None:
    # GIVEN a linked workspace with an incident
    arrives(story, incidents(incident()))
    page = visits.open(story)

    # WHEN an admin wants to unlink it, and does not confirm
    page.button(f"Unlink: {NAME}").click()
    dialog = page.content.get_by_role("dialog", name=f"Unlink {NAME}?")
    expect(dialog).to_contain_text("Jira deletes all incidents and reviews of this workspace")
    page.tab.keyboard.press("Escape")

    # THEN nothing changes
    expect(dialog).to_be_hidden()
    assert linked_workspaces(story) == [story.tenancy.workspace_id]

    # WHEN the admin confirms
    page.button(f"Unlink: {NAME}").click()
    page.button("Unlink and delete").click()

    # THEN the workspace is gone, here and in Jira
    expect(page.heading("Linked workspaces")).to_be_hidden()
    wait_until(lambda: linked_workspaces(story) == [], "Jira has no link")
    wait_until(lambda: not story.jira.entities(story.tenancy.site_name, "incident"), "deleted")


def test_the_page_follows_jiras_theme(story: Story, visits: Visits) -> None:
    light, dark = (visits.open(story, theme=theme) for theme in ("light", "dark"))

    for page, mode in ((light, "light"), (dark, "dark")):
        expect(page.content.locator(f'html[data-color-mode="{mode}"]')).to_be_attached()
        expect(page.heading("Linked workspaces")).to_be_visible()
    assert light.brightness() > 200
    assert dark.brightness() < 60


def test_only_an_admin_sees_anything(story: Story, visits: Visits) -> None:
    visits.expected = (403,)
    page = visits.open(story, visitor="user")

    expect(page.heading("This page is for Jira admins")).to_be_visible()
    assert NAME not in page.content.locator("body").inner_text()


def test_an_expired_token_is_explained_and_replaced(story: Story, visits: Visits) -> None:
    visits.expected = (401,)
    story.jira.visit(story.tenancy.site_name, tokens="expired")
    page = visits.open(story)
    expect(page.heading("Your session has expired")).to_be_visible()

    story.jira.visit(story.tenancy.site_name, tokens="valid")
    page.button("Reload").click()

    expect(page.heading("Linked workspaces")).to_be_visible()


def test_the_page_says_when_relay_is_down_and_recovers(
    story: Story, steering: Steering, visits: Visits
) -> None:
    page = visits.open(story)
    expect(page.heading("Linked workspaces")).to_be_visible()

    # The gateway answers 502 to a call that the change interrupts.
    visits.expected = (502, 503)
    restore = steering.set_variable("PageFunction", "TENANTS_TABLE", "not-there")
    page.button("Refresh").click()
    message = page.heading("Relay does not answer; the numbers may be old")
    expect(message).to_be_visible()
    expect(page.heading("Linked workspaces")).to_be_visible()

    restore()
    page.button("Try now").click()
    expect(message).to_be_hidden()


def test_the_page_says_when_jira_refuses_to_name_its_admins(offered: Story, visits: Visits) -> None:
    visits.expected = (503,)
    offered.jira.fail(offered.tenancy.site_name, {"kind": "forbidden"})
    page = visits.open(offered)
    expect(page.heading("Relay can't check that you are an admin")).to_be_visible()
    assert NAME not in page.content.locator("body").inner_text()

    offered.jira.fail(offered.tenancy.site_name)
    page.button("Try again").click()
    expect(page.heading("Start in three steps")).to_be_visible()
    # Nothing is linked, so the page asks for no workspace's list.
    with page.tab.expect_response("**/page/site"):
        page.button("Refresh").click()
    page.tab.wait_for_load_state("networkidle")


def test_a_test_incident_appears_in_jira_and_is_removed(story: Story, visits: Visits) -> None:
    page = visits.open(story)
    in_jira = visits.browser.new_page()

    def rows() -> int:
        in_jira.goto(story.tenancy.page)
        return in_jira.get_by_role("row").filter(has_text="Test incident").count()

    page.button(f"Make a test incident: {NAME}").click()
    wait_until(lambda: rows() == 1, "the incident is on the Incidents page")

    page.button(f"Remove the test incident: {NAME}").click()
    wait_until(lambda: rows() == 0, "the incident is gone")
    expect(page.button(f"Make a test incident: {NAME}")).to_be_visible()
    in_jira.close()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (320, "dark")])
def test_everyone_can_use_the_page(crowded: Story, visits: Visits, width: int, theme: str) -> None:
    page = visits.open(crowded, width=width, theme=theme)
    expect(page.content.get_by_text(JIRAS_WORDS).first).to_be_visible()
    assert page.serious_violations() == []
    assert page.frame.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.button(f"Unlink: {NAME}").click()
    expect(page.content.get_by_role("dialog")).to_be_visible()
    assert page.serious_violations() == []


def test_everyone_can_use_the_first_steps(offered: Story, visits: Visits) -> None:
    page = visits.open(offered)
    expect(page.heading("Start in three steps")).to_be_visible()
    assert page.serious_violations() == []


def test_the_page_works_without_a_mouse(offered: Story, visits: Visits) -> None:
    page = visits.open(offered)
    link = page.button(f"Link: {NAME}")
    expect(link).to_be_visible()

    page.heading("Start in three steps").focus()
    for _ in range(20):
        if link.evaluate("button => button === document.activeElement"):
            break
        page.tab.keyboard.press("Tab")
    page.tab.keyboard.press("Enter")

    expect(page.heading("Linked workspaces")).to_be_visible()


def test_another_site_cannot_frame_the_page(story: Story, browser: Browser) -> None:
    # GIVEN the URL that Jira would load, and a page elsewhere that frames it
    first_url = first_url_of(story)
    tab = browser.new_page()
    console: list[str] = []
    tab.on("console", lambda message: console.append(message.text))

    # WHEN someone opens that page
    with served(f'<iframe src="{escape(first_url)}"></iframe>') as elsewhere:
        tab.goto(elsewhere)

    # THEN the browser shows nothing of the app
    assert any("frame-ancestors" in line for line in console), console
    [frame] = tab.main_frame.child_frames
    assert "Relay" not in frame.content()
    tab.close()


def test_the_page_works_under_forge(stack: Stack, visits: Visits) -> None:
    tenancy = set_up(stack, "native", "native", by_forge=True, is_linked=False)
    with Story(stack, tenancy, Screen()) as story:
        page = visits.open(story, theme="dark")
        page.button(f"Link: {NAME}").click()
        expect(page.heading("Linked workspaces")).to_be_visible()
        expect(page.content.get_by_text("Forge app")).to_be_visible()
        assert page.brightness() < 60

        other = visits.open(story, visitor="user")
        expect(other.heading("This page is for Jira admins")).to_be_visible()
