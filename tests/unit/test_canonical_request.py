"""Connect's canonical request: cases computed by hand, then rules for every request."""

import hashlib
from urllib.parse import parse_qsl, quote

import pytest
from atlassian_jwt.url_utils import (  # type: ignore[import-untyped]
    canonicalize_request,
    hash_url,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.jira.canonical_request import (
    canonical_path,
    canonical_query,
    canonical_request,
    query_string_hash,
)

PATHS = {
    # on the wire: canonical
    "": "/",
    "/": "/",
    "/lifecycle/installed": "/lifecycle/installed",
    "/ends/with/a/slash/": "/ends/with/a/slash",
    "/rock&roll": "/rock%26roll",
    "/a&b&c/": "/a%26b%26c",
    # neither decoded nor encoded
    "/with%20space": "/with%20space",
    "/lower%2fcase%2F": "/lower%2fcase%2F",
    "/%7Etilde/~tilde": "/%7Etilde/~tilde",
    "/plus+plus": "/plus+plus",
    "/sub!$'()*,;=:@": "/sub!$'()*,;=:@",
    "/Case/Matters": "/Case/Matters",
}

QUERIES = {
    "": "",
    "a=b": "a=b",
    # the token is not part of what it signs; other names that contain "jwt" are
    "jwt=ey.J.x": "",
    "a=1&jwt=ey.J.x&b=2": "a=1&b=2",
    "jwt=one&jwt=two": "",
    "j%77t=hidden": "",
    "JWT=a&jwt2=b&xjwt=c": "JWT=a&jwt2=b&xjwt=c",
    # names in the order of their encoded form, capitals first
    "b=2&a=1": "a=1&b=2",
    "b=1&B=2&a=3&A=4": "A=4&B=2&a=3&b=1",
    "a10=x&a1=y&a2=z": "a1=y&a10=x&a2=z",
    "a-b=1&a%20b=2&ab=3": "a%20b=2&a-b=1&ab=3",
    # a colon follows "1" as a character, and precedes it as %3A
    "1=a&%3A=b": "%3A=b&1=a",
    # values of one name: sorted before encoding, with a bare comma between them
    "id=2&id=10&id=1": "id=1,10,2",
    "id=b&x=1&id=a": "id=a,b&x=1",
    "c=%2B&c=+&c=&c=%2520": "c=,%20,%2520,%2B",
    # decoded, ":" (3A) precedes "a" (61); "." (2E) precedes both
    "id=a&id=%3A&id=.": "id=.,%3A,a",
    # decoded, "~" (7E) follows "z" (7A), and "é" (E9) follows "~"
    "v=%C3%A9&v=~&v=z": "v=z,~,%C3%A9",
    "same=x&same=x": "same=x,x",
    # a comma within a value does not separate values
    "ids=1,2,3": "ids=1%2C2%2C3",
    "ids=1%2C2&ids=3": "ids=1%2C2,3",
    # nothing, or nothing after the equals sign
    "a&b=": "a=&b=",
    "a=&a": "a=,",
    "a=1&&b=2&": "a=1&b=2",
    "a=b=c": "a=b%3Dc",
    # only A-Z a-z 0-9 - . _ ~ stay unencoded
    "q=-._~": "q=-._~",
    "q=%2D%2E%5F%7E%41": "q=-._~A",
    "q=!*'()": "q=%21%2A%27%28%29",
    "q=a+b%20c%2Bd": "q=a%20b%20c%2Bd",
    "q=%e5%ae%ae": "q=%E5%AE%AE",
    "q=/?:@$": "q=%2F%3F%3A%40%24",
    "%23n=%26%3D": "%23n=%26%3D",
}

BASE_PATHS = [
    # base path, path on the wire, canonical
    ("", "/test", "/test"),
    ("/", "/test", "/test"),
    ("/base", "/base/test", "/test"),
    ("/base/", "/base/test", "/test"),
    ("/base", "/base", "/"),
    ("/base", "/base/", "/"),
    ("/base/deep", "/base/deep/test", "/test"),
    # another path with the same prefix
    ("/base", "/basement", "/basement"),
    ("/base", "/other/base/test", "/other/base/test"),
    # once, not twice
    ("/base", "/base/base", "/base"),
]


@pytest.mark.parametrize(("raw", "canonical"), PATHS.items())
def test_a_path_is_unchanged_except_for_ampersands_and_a_trailing_slash(
    raw: str, canonical: str
) -> None:
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize(("base_path", "raw", "canonical"), BASE_PATHS)
def test_a_path_is_relative_to_the_base_url(base_path: str, raw: str, canonical: str) -> None:
    assert canonical_path(raw, base_path) == canonical


@pytest.mark.parametrize(("raw", "canonical"), QUERIES.items())
def test_a_query_is_sorted_and_encoded_by_the_rules(raw: str, canonical: str) -> None:
    assert canonical_query(raw) == canonical


def test_the_method_is_upper_case_and_the_second_ampersand_is_always_present() -> None:
    assert canonical_request("get", "/test", "") == "GET&/test&"
    assert canonical_request("Post", "/test", "b=2&a=1") == "POST&/test&a=1&b=2"


@pytest.mark.parametrize(
    ("method", "path", "query", "canonical"),
    [
        ("POST", "/lifecycle/installed", "", b"POST&/lifecycle/installed&"),
        ("GET", "/jira/search/", "q=b+c&jwt=x.y.z&q=a,b", b"GET&/search&q=a%2Cb,b%20c"),
        ("PUT", "/jira/%E5%AE%AE", "n=%E5%AE%AE", b"PUT&/%E5%AE%AE&n=%E5%AE%AE"),
    ],
)
def test_the_hash_is_plain_sha256_of_the_canonical_request(
    method: str, path: str, query: str, canonical: bytes
) -> None:
    qsh = query_string_hash(method, path, query, "/jira")
    assert qsh == hashlib.sha256(canonical).hexdigest()


def test_the_hash_of_a_known_request_matches() -> None:
    """`printf 'POST&/lifecycle/installed&' | sha256sum`"""
    assert query_string_hash("POST", "/lifecycle/installed", "") == (
        "efcb1cff0b1c68eeee0ccea2b4f9e37cc301805233fa3999e63643f28a2b4ac3"
    )


# --- Rules for every request ---

unhurried = settings(deadline=None)

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PARAMETERS = st.lists(st.tuples(WORDS, WORDS), max_size=8)
ESCAPES = st.integers(0, 255).map("%{:02x}".format) | st.integers(0, 255).map("%{:02X}".format)


def encoded(parameters: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters)


@unhurried
@given(st.data(), PARAMETERS)
def test_the_order_of_parameters_does_not_matter(
    data: st.DataObject, parameters: list[tuple[str, str]]
) -> None:
    shuffled = data.draw(st.permutations(parameters))
    assert canonical_query(encoded(shuffled)) == canonical_query(encoded(parameters))


@unhurried
@given(PARAMETERS, st.integers(0, 8), WORDS)
def test_the_jwt_parameter_is_ignored(
    parameters: list[tuple[str, str]], position: int, token: str
) -> None:
    others = [(name, value) for name, value in parameters if name != "jwt"]
    with_token = [*others[:position], ("jwt", token), *others[position:]]
    assert canonical_query(encoded(with_token)) == canonical_query(encoded(others))


@unhurried
@given(PARAMETERS)
def test_the_senders_encoding_does_not_matter(parameters: list[tuple[str, str]]) -> None:
    every_byte = "&".join(
        "=".join("".join(f"%{byte:02x}" for byte in part.encode()) for part in pair)
        for pair in parameters
    )
    with_plus = encoded(parameters).replace("%20", "+")
    assert canonical_query(every_byte) == canonical_query(encoded(parameters))
    assert canonical_query(with_plus) == canonical_query(encoded(parameters))


@unhurried
@given(PARAMETERS)
def test_no_parameter_is_lost_or_changed(parameters: list[tuple[str, str]]) -> None:
    expected = sorted((name, value) for name, value in parameters if name != "jwt")
    canonical = canonical_query(encoded(parameters))
    found = [
        (name, value)
        for pair in canonical.split("&")
        if pair
        for name, values in [pair.split("=")]
        for value in values.split(",")
    ]
    assert sorted(parse_qsl("&".join("=".join(pair) for pair in found), True)) == expected


@unhurried
@given(PARAMETERS)
def test_the_canonical_query_of_single_values_is_canonical(
    parameters: list[tuple[str, str]],
) -> None:
    once = canonical_query(encoded(list(dict(parameters).items())))
    assert canonical_query(once) == once


@unhurried
@given(PARAMETERS)
def test_only_unreserved_characters_stay_unencoded(parameters: list[tuple[str, str]]) -> None:
    bare = canonical_query(encoded(parameters)).translate(dict.fromkeys(map(ord, "=&,%")))
    assert quote(bare, safe="") == bare


SEGMENTS = st.text(st.sampled_from("abzABZ019-._~!$&'()*+,=@"), min_size=1, max_size=8)
PATH_PARTS = st.lists(SEGMENTS | ESCAPES, min_size=1, max_size=5)


@unhurried
@given(PATH_PARTS, PATH_PARTS, PARAMETERS)
def test_the_base_path_is_dropped(
    base: list[str], path: list[str], parameters: list[tuple[str, str]]
) -> None:
    base_path, raw_path, query = "/" + "/".join(base), "/" + "/".join(path), encoded(parameters)
    below = query_string_hash("GET", base_path + raw_path, query, base_path)
    assert below == query_string_hash("GET", raw_path, query)


QUERY_PARTS = st.text(st.sampled_from("abzABZ019-._~!$'()*+,/:@?"), max_size=8) | ESCAPES
QUERY = st.lists(st.tuples(QUERY_PARTS, QUERY_PARTS).map("=".join) | QUERY_PARTS, max_size=6).map(
    "&".join
)


@unhurried
@given(st.sampled_from(["GET", "POST", "put"]), PATH_PARTS, QUERY)
def test_an_independent_implementation_agrees(method: str, path: list[str], query: str) -> None:
    """PyPI's atlassian-jwt, for a path of plain segments, where it follows the rules."""
    raw_path = "/" + "/".join(path)
    url = f"{raw_path}?{query}"
    assert canonical_request(method, raw_path, query) == canonicalize_request(method, url)
    assert query_string_hash(method, raw_path, query) == hash_url(method, url)
