"""The static files of the page inside Jira: what its Content-Security-Policy and themes need."""

import re
from html.parser import HTMLParser
from typing import get_args

import pytest

from infra.page_theme import HEADER, SELECTORS, STATIC, Missing, theme, used
from relay.edge.shapes.sites import TROUBLES, SiteState

PAGE = (STATIC / "index.html").read_text("utf-8")
SCRIPT = (STATIC / "page.js").read_text("utf-8")
STYLE = (STATIC / "page.css").read_text("utf-8")
THEME = (STATIC / "theme.css").read_text("utf-8")
ALL_JS = "{{all_js}}"


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.inline += data.strip()


def test_the_page_has_no_inline_script_or_style() -> None:
    elements = Elements(PAGE)
    assert not elements.inline
    for tag, attributes in elements.found:
        assert tag != "style"
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_the_page_loads_its_own_files_by_relative_paths_and_jiras_library() -> None:
    loaded = [
        attributes.get("src") or attributes.get("href")
        for tag, attributes in Elements(PAGE).found
        if tag in {"script", "link"}
    ]
    own = ["page/theme.css", "page/page.css", "page/page.js"]
    assert loaded == ["data:,", *own[:2], ALL_JS, own[2]]
    for path in own:
        # The page's own path is /page, below the base URL's path.
        assert (STATIC / path.removeprefix("page/")).is_file()


@pytest.mark.parametrize(
    "forbidden",
    [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "srcdoc",
        "eval(",
        "new Function",
        ".style",
        "localStorage",
        "sessionStorage",
        "document.cookie",
        "console.",
    ],
)
def test_the_script_writes_text_only_and_stores_nothing(forbidden: str) -> None:
    assert forbidden not in SCRIPT


def test_the_script_has_words_for_every_trouble_and_state() -> None:
    for code in TROUBLES:
        if code not in {"refused", "too_large"}:
            assert re.search(rf"^      {code}: \"", SCRIPT, re.MULTILINE), code
    for state in get_args(SiteState):
        assert re.search(rf"^    \"?{state}\"?: \"", SCRIPT, re.MULTILINE), state


# --- The theme ---


def test_the_theme_defines_what_the_page_uses_and_no_more() -> None:
    defined = set(re.findall(r"^  (--ds-[a-z0-9-]+):", THEME, re.MULTILINE))
    assert THEME.startswith(HEADER)
    assert defined == used(STYLE)


def test_every_color_has_a_dark_value() -> None:
    light, dark = (
        dict(re.findall(r"(--ds-[a-z0-9-]+): ([^;]+);", rule)) for rule in THEME.split("\n}\n")[:2]
    )
    colors = {name for name, value in light.items() if "#" in value}
    assert colors == dark.keys()
    assert light["--ds-surface"] != dark["--ds-surface"]


def test_the_stylesheet_has_no_color_of_its_own() -> None:
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;,) ])|rgba?\(|hsla?\(", STYLE)


def test_a_theme_is_selected_from_the_packages_parts() -> None:
    parts = dict.fromkeys(("spacing", "typography", "shape"), "")
    parts["light"] = "a {\n  --ds-text: #111;\n  --ds-text-subtle: #222;\n}"
    parts["dark"] = "a {\n  --ds-text: #EEE;\n}"
    rule = "{} {{\n  color-scheme: {};\n  --ds-text: {};\n}}\n"
    expected = [
        rule.format(selector, scheme, color)
        for selector, scheme, color in zip(
            SELECTORS, ("light", "dark"), ("#111", "#EEE"), strict=True
        )
    ]
    assert theme({"--ds-text"}, parts) == HEADER + "\n" + "\n".join(expected)
    with pytest.raises(Missing, match="--ds-gone"):
        theme({"--ds-text", "--ds-gone"}, parts)
