from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import example, given, strategies as st

from token_service.proxy.paths import (
    LENGTH_AT_MOST,
    BadPath,
    PathClass,
    PathRules,
    allowed,
    normalise,
    only_reads,
)
from token_service.proxy.settings import SECRET_PATHS, USER_TOKEN_PATHS
from zhongkong.runtime.settings import PathGlob

RULES = PathRules(SECRET_PATHS, USER_TOKEN_PATHS)
DECEITS = ["/", "//", ".", "..", "%2e", "%2F", "%5c", "\\", ";", "%3b", "%00", "%25", "%74", "%7E"]
WORDS = ["cgi-bin", "token", "stable_token", "menu", "get", "component", "CGI-BIN", "é", "\n", "?"]
PIECES = st.sampled_from([*DECEITS, *WORDS])
RAW = st.lists(PIECES | st.text(max_size=3), max_size=12).map(lambda parts: "/" + "".join(parts))


@given(RAW)
def test_a_normalised_path_is_its_own_normal_form(raw: str) -> None:
    try:
        path = normalise(raw)
    except BadPath:
        return

    assert normalise(path) == path


@given(RAW)
@example("/cgi-bin/%74oken")
@example("//cgi-bin//token")
def test_what_is_forwarded_reads_the_same_however_often_it_is_decoded(raw: str) -> None:
    try:
        path = normalise(raw)
    except BadPath:
        return

    assert unquote(path) == path
    assert "//" not in path
    assert not {".", ".."} & set(path.split("/"))
    assert path.isascii()
    assert not set(path) & set("\\;?#% \t\r\n")


@given(RAW)
def test_a_spelling_is_allowed_only_what_the_plain_path_is(raw: str) -> None:
    try:
        path = normalise(raw)
    except BadPath:
        return
    plain = unquote(raw)
    while "//" in plain:
        plain = plain.replace("//", "/")

    assert path == plain
    if plain.lower().rstrip("/") in {"/cgi-bin/token", "/cgi-bin/stable_token"}:
        assert RULES.classify(path) is PathClass.DENIED


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("/cgi-bin/%2e%2e/token", id="encoded dots"),
        pytest.param("/cgi-bin/../token", id="dot segment"),
        pytest.param("/cgi-bin/./token", id="single dot"),
        pytest.param("/cgi-bin/token.", id="dot at the end of a segment"),
        pytest.param("/cgi-bin%2Ftoken", id="encoded slash"),
        pytest.param("/cgi-bin%5Ctoken", id="encoded backslash"),
        pytest.param("/cgi-bin\\token", id="backslash"),
        pytest.param("/cgi-bin/menu;/get", id="semicolon"),
        pytest.param("/cgi-bin/menu%3B/get", id="encoded semicolon"),
        pytest.param("/cgi-bin/%00", id="encoded control character"),
        pytest.param("/cgi-bin/%252e", id="doubly encoded"),
        pytest.param("/cgi-bin/%E4%B8%AD", id="encoded Chinese"),
        pytest.param("/cgi-bin/中", id="Chinese"),
        pytest.param("/cgi-bin/%zz", id="broken escape"),
        pytest.param("/" + "a" * LENGTH_AT_MOST, id="too long"),
        pytest.param("cgi-bin/token", id="no slash at the start"),
        pytest.param("http://api.weixin.qq.com/cgi-bin/token", id="a whole URL"),
        pytest.param("*", id="asterisk form"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_refused(raw: str) -> None:
    with pytest.raises(BadPath):
        normalise(raw)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("//cgi-bin///menu//get", "/cgi-bin/menu/get"),
        ("/cgi%2Dbin/%6Denu/get", "/cgi-bin/menu/get"),
        ("/cgi-bin/menu/get/", "/cgi-bin/menu/get/"),
        ("/x.json", "/x.json"),
    ],
)
def test_a_path_is_brought_into_its_plain_spelling(raw: str, path: str) -> None:
    assert normalise(raw) == path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/cgi-bin/menu/get", PathClass.APP),
        ("/sns/oauth2/access_token", PathClass.SECRET),
        ("/sns/jscode2session", PathClass.SECRET),
        ("/cgi-bin/clear_quota/v2", PathClass.SECRET),
        ("/sns/userinfo", PathClass.USER),
        ("/sns/auth", PathClass.USER),
        ("/sns/oauth2/refresh_token", PathClass.USER),
        ("/cgi-bin/token", PathClass.DENIED),
        ("/cgi-bin/Token", PathClass.DENIED),
        ("/cgi-bin/token/", PathClass.DENIED),
        ("/cgi-bin/stable_token", PathClass.DENIED),
        ("/cgi-bin/component/api_component_token", PathClass.DENIED),
        ("/CGI-BIN/component/api_query_auth", PathClass.DENIED),
        ("/cgi-bin/clear_quota", PathClass.DENIED),
        ("/cgi-bin/clear_quota/v3", PathClass.DENIED),
        ("/cgi-bin/openapi/quota/clear", PathClass.DENIED),
        ("/cgi-bin/openapi/quota/get", PathClass.APP),
    ],
)
def test_each_path_has_its_class(path: str, expected: PathClass) -> None:
    assert RULES.classify(path) is expected


def test_settings_do_not_open_what_is_denied() -> None:
    rules = PathRules((PathGlob("/**"),), (PathGlob("/**"),))

    assert rules.classify("/cgi-bin/token") is PathClass.DENIED


def test_rights_are_matched_on_the_normalised_path() -> None:
    globs = (PathGlob("/cgi-bin/menu/*"),)

    assert allowed(globs, normalise("//cgi-bin/%6Denu//get"))
    assert not allowed(globs, normalise("/cgi-bin/media/get"))


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/cgi-bin/menu/get", True),
        ("GET", "/cgi-bin/get_api_domain_ip", True),
        ("GET", "/cgi-bin/user/info", True),
        ("GET", "/cgi-bin/menu/delete", False),
        ("GET", "/sns/oauth2/access_token", False),
        ("POST", "/cgi-bin/menu/get", False),
        ("GET", "/cgi-bin/info_update", False),
    ],
)
def test_only_certain_reads_may_be_carried_out_twice(
    method: str, path: str, expected: bool
) -> None:
    assert only_reads(method, path) is expected
