from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.runtime.pages_world import ADMIN, Browser, browser
from zhongkong.runtime.pages.sessions import LIFE_S

ACT = "/forms/act"


@pytest.fixture
async def it() -> AsyncIterator[Browser]:
    async with browser() as world:
        yield world


async def test_a_browser_without_a_login_is_led_to_it(it: Browser) -> None:
    for path in ("/", "/v1/status"):
        answer = await it.get(path)
        assert (answer.status, answer.headers["Location"]) == (303, "/login")


async def test_what_is_no_browser_is_told_401(it: Browser) -> None:
    for path in ("/", "/fragment", "/v1/status"):
        assert (await it.get(path, Accept="*/*")).status == 401


async def test_the_login_needs_no_login(it: Browser) -> None:
    for path in ("/login", "/page.css", "/page.js"):
        assert (await it.get(path)).status == 200


async def test_the_key_opens_a_session_that_only_this_site_s_pages_send(it: Browser) -> None:
    answer = await it.log_in()

    (morsel,) = answer.cookie.values()
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert morsel["httponly"]
    assert (morsel["samesite"], morsel["path"], morsel["max-age"]) == ("Strict", "/", "43200")
    assert not morsel["secure"]
    assert (await it.get()).status == 200
    assert (await it.get("/v1/status")).status == 200


async def test_the_key_is_in_no_cookie_and_no_page(it: Browser) -> None:
    answer = await it.log_in()
    pages = [answer, await it.get(), await it.get("/fragment"), await it.log_in("wrong" * 6)]

    for page in pages:
        assert ADMIN not in page.text + str(page.headers) + str(it.jar)
        assert "wrongwrong" not in page.text


async def test_the_cookie_is_secure_behind_tls(it: Browser) -> None:
    answer = await it.log_in(**{"X-Forwarded-Proto": "https"})

    (morsel,) = answer.cookie.values()
    assert morsel["secure"]


async def test_services_on_one_machine_don_t_share_a_cookie(it: Browser) -> None:
    await it.log_in()

    assert list(it.jar) == [f"example_session_{it.port}"]


@pytest.mark.parametrize("key", ["", "short", "wrong-key-0123456789abcdef", f"{ADMIN}x", "é" * 30])
async def test_another_key_opens_nothing(it: Browser, key: str) -> None:
    answer = await it.log_in(key)

    assert answer.status == 403
    assert it.jar == {}
    assert (await it.get()).status == 303


async def test_a_made_up_session_opens_nothing(it: Browser) -> None:
    for name in ("x", "0" * 64, "0" * 4000, "ü"):
        it.jar[f"example_session_{it.port}"] = name
        assert (await it.get()).status == 303


async def test_wrong_keys_are_slowed_down_and_time_heals_that(it: Browser) -> None:
    statuses = [(await it.log_in("wrong-key-0123456789abcdefghij")).status for _ in range(6)]
    blocked = await it.log_in()
    it.clock.at += 61

    assert statuses == [403] * 5 + [429]
    assert (blocked.status, blocked.headers["Retry-After"]) == (429, "60")
    assert (await it.log_in()).status == 303


async def test_a_session_ends_after_its_time(it: Browser) -> None:
    await it.log_in()
    it.clock.at += LIFE_S - 1
    assert (await it.get()).status == 200
    it.clock.at += 2

    assert (await it.get()).status == 303


async def test_a_session_that_was_left_is_dead_wherever_it_was_copied_to(it: Browser) -> None:
    await it.log_in()
    copied = dict(it.jar)
    csrf = (await it.get()).csrf
    answer = await it.post("/forms/logout", {"csrf": csrf})

    assert (answer.status, answer.headers["Location"], it.jar) == (303, "/login", {})
    it.jar.update(copied)
    assert (await it.get()).status == 303


async def test_a_restart_ends_all_sessions(it: Browser) -> None:
    await it.log_in()
    async with browser() as again:
        again.jar = {f"example_session_{again.port}": next(iter(it.jar.values()))}

        assert (await again.get()).status == 303


async def test_a_form_with_the_session_s_token_is_carried_out_and_told_once(it: Browser) -> None:
    await it.log_in()
    answer = await it.post(ACT, {"csrf": (await it.get()).csrf, "what": "this"})

    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert [fields["what"] for fields in it.done] == ["this"]
    assert "&lt;b&gt;done&lt;/b&gt;" in (await it.get()).text
    assert "done" not in (await it.get()).text


async def test_a_deed_that_fails_says_why(it: Browser) -> None:
    await it.log_in()
    await it.post(ACT, {"csrf": (await it.get()).csrf, "refuse": "1"})

    assert "Not done: The &lt;store&gt; is away." in (await it.get()).text


async def test_a_form_without_the_session_s_token_changes_nothing(it: Browser) -> None:
    await it.log_in()
    for fields in ({"x": "1"}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": "ü"}):
        assert (await it.post(ACT, fields)).status == 403
    assert it.done == []


async def test_another_login_s_token_changes_nothing(it: Browser) -> None:
    await it.log_in()
    others = (await it.get()).csrf
    it.jar.clear()
    await it.log_in()

    assert (await it.post(ACT, {"csrf": others})).status == 403
    assert it.done == []


@pytest.mark.parametrize("origin", ["", "null", "http://evil.example", "http://127.0.0.1:1", "x"])
async def test_a_form_of_another_site_s_page_changes_nothing(it: Browser, origin: str) -> None:
    await it.log_in()
    csrf = (await it.get()).csrf

    assert (await it.post(ACT, {"csrf": csrf}, Origin=origin)).status == 403
    assert (await it.post("/login", {"key": ADMIN}, Origin=origin)).status == 403
    assert it.done == []


async def test_a_form_is_not_taken_for_the_key_in_place_of_a_login(it: Browser) -> None:
    answer = await it.post(ACT, {"csrf": ""}, Authorization=f"Bearer {ADMIN}")

    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert it.done == []


async def test_a_login_changes_nothing_but_by_forms(it: Browser) -> None:
    await it.log_in()

    assert (await it.post("/v1/status", {})).status == 401


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"csrf=1&csrf=2", "application/x-www-form-urlencoded", 400),
        (b"csrf=%ff", "application/x-www-form-urlencoded", 400),
        (b"csrf=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(99)), "application/x-www-form-urlencoded", 400),
        (b"csrf=" + b"x" * 9000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_what_is_no_form_of_ours_is_refused(
    it: Browser, body: bytes, content_type: str, status: int
) -> None:
    await it.log_in()

    assert (await it.post(ACT, body, **{"Content-Type": content_type})).status == status


async def test_another_host_s_name_gets_nothing(it: Browser) -> None:
    for path in ("/", "/login", "/page.css", "/fragment"):
        assert (await it.get(path, Host="evil.example")).status == 403
    assert (await it.get("/login", Host="status.internal")).status == 200


async def test_every_answer_is_shut_tight(it: Browser) -> None:
    answers = [await it.get("/login"), await it.get("/page.css"), await it.get("/page.js")]
    answers.append(await it.log_in())
    answers += [await it.get(), await it.get("/fragment")]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= {*policy}
        assert "unsafe" not in str(policy)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"


async def test_no_page_holds_script_or_style_of_its_own(it: Browser) -> None:
    await it.log_in()
    for path in ("/", "/fragment", "/login"):
        text = (await it.get(path)).text
        assert "style=" not in text
        assert "<style" not in text
        assert " onclick" not in text
        assert text.count("<script") == text.count('<script type="module" src="/page.js"></script>')


async def test_what_stands_in_a_page_is_escaped(it: Browser) -> None:
    await it.log_in()
    for path in ("/", "/fragment"):
        text = (await it.get(f"{path}?say=%3Cscript%3Ealert(1)%3C/script%3E%22'")).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;" in text


async def test_the_page_lives_without_javascript(it: Browser) -> None:
    await it.log_in()

    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in (await it.get()).text


async def test_the_fragment_is_the_page_s_content(it: Browser) -> None:
    await it.log_in()
    page, fragment = await it.get(), await it.get("/fragment")

    assert fragment.text.strip() in page.text
    assert "<html" not in fragment.text


async def test_the_language_is_the_browser_s_until_one_is_chosen(it: Browser) -> None:
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.1"}

    assert '<html lang="zh-CN">' in (await it.get("/login", **chinese)).text
    assert '<html lang="en">' in (await it.get("/login")).text
    assert '<html lang="en">' in (await it.get("/login?lang=en", **chinese)).text
    assert '<html lang="en">' in (await it.get("/login", **chinese)).text


async def test_without_a_key_this_machine_looks_and_nobody_changes_anything() -> None:
    async with browser(key=None) as it:
        page = await it.get()
        assert page.status == 200
        assert "admin_key_sha256" in page.text
        assert "<form" not in page.text
        assert (await it.get("/login")).headers["Location"] == "/"
        assert (await it.log_in()).status == 401
        assert (await it.post(ACT, {"csrf": ""})).status == 401
        assert it.done == []


async def test_the_key_itself_shows_the_page_without_forms(it: Browser) -> None:
    page = await it.get(Authorization=f"Bearer {ADMIN}")

    assert page.status == 200
    assert "<form" not in page.text
