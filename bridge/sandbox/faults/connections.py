"""Faults of the connection: refused, cut, silent, slow, and answers that are cut short or stand in for another."""

from __future__ import annotations

from typing import NoReturn

from werkzeug.wrappers import Response

from bridge.sandbox import gmail_errors
from bridge.sandbox.confluence_wire import html_error, json_response
from bridge.sandbox.core import DELAY, Dropped, NeverConnected, NoAnswer
from bridge.sandbox.faults.kinds import Kind, Visit, every, seconds_between, with_body

LATEST = 60.0
"""Seconds: how long after its connection died a request may take effect."""


def _refuse(visit: Visit) -> NoReturn:
    raise NeverConnected


def _cut(visit: Visit) -> NoReturn:
    raise Dropped


def _cut_after(visit: Visit, answer: Response) -> NoReturn:
    raise Dropped


def _late(visit: Visit) -> NoReturn:
    visit.core.postpone(visit.service, visit.request, visit.seconds)
    raise Dropped


def _silent(visit: Visit) -> NoReturn:
    raise NoAnswer(visit.core.wait)


def _silent_after(visit: Visit, answer: Response) -> NoReturn:
    raise NoAnswer(visit.core.wait)


def _slow(visit: Visit, answer: Response) -> bool:
    visit.request.environ[DELAY] = visit.seconds
    return True


def _truncate(visit: Visit, answer: Response) -> Response:
    whole = answer.get_data()
    if len(whole) < 2:
        return Response(b"", status=answer.status_code, headers={**dict(answer.headers), "Content-Length": "480"})
    answer.set_data(whole[: len(whole) // 2])
    answer.headers["Content-Length"] = str(len(whole))
    return answer


def _portal(visit: Visit) -> Response:
    return gmail_errors.captive_portal()


def _bad_gateway(visit: Visit) -> Response:
    return gmail_errors.bad_gateway() if visit.google else html_error(502)


def _bad_gateway_after(visit: Visit, answer: Response) -> Response:
    return _bad_gateway(visit)


def _garbled(visit: Visit, answer: Response) -> Response:
    return Response('{"id": "1001", "version": ', content_type="application/json")


def _wrong_type(visit: Visit, answer: Response) -> Response:
    # Where a list is due (the sites of a token), an object is the wrong one.
    is_list = answer.get_data().lstrip().startswith(b"[")
    return json_response({} if is_list else [])


def _bare_object(visit: Visit, answer: Response) -> Response:
    return json_response({})


def _empty(visit: Visit, answer: Response) -> Response:
    return Response(b"", content_type="application/json")


KINDS: tuple[Kind, ...] = (
    Kind("refuse", "The connection is refused.", "none", every, before=_refuse),
    Kind("reset-before", "The connection is cut before the request takes effect.", "none", every, before=_cut),
    Kind(
        "reset-after", "The request takes effect, then the connection is cut.", "took effect", every, after=_cut_after
    ),
    Kind(
        "late",
        "The connection is cut at once, and the request takes effect some seconds later.",
        "later",
        every,
        before=_late,
        unit="seconds from 1 to 60",
        default="30",
        takes=seconds_between(1, LATEST),
    ),
    Kind("timeout-before", "No answer comes, and the request takes no effect.", "none", every, before=_silent),
    Kind("timeout-after", "No answer comes, but the request takes effect.", "took effect", every, after=_silent_after),
    Kind(
        "slow",
        "The answer comes some seconds late.",
        "took effect",
        every,
        after=_slow,
        unit="seconds up to 600",
        default="10",
        takes=seconds_between(0, 600),
    ),
    Kind(
        "truncate",
        "The request takes effect, and its answer breaks off in the middle.",
        "took effect",
        with_body,
        after=_truncate,
    ),
    Kind("html-200", "A guest network's log-in page answers with 200.", "none", with_body, before=_portal),
    Kind("html-502", "A proxy answers 502 with a page of HTML.", "none", every, before=_bad_gateway),
    Kind(
        "html-502-after",
        "The request takes effect, and a proxy answers 502 with a page of HTML.",
        "took effect",
        every,
        after=_bad_gateway_after,
    ),
    Kind("not-json", "The request takes effect, and its answer is no JSON.", "took effect", with_body, after=_garbled),
    Kind(
        "json-wrong",
        "The request takes effect, and its answer is a JSON list where an object is due.",
        "took effect",
        with_body,
        after=_wrong_type,
    ),
    Kind(
        "json-fields",
        "The request takes effect, and its answer lacks every field.",
        "took effect",
        with_body,
        after=_bare_object,
    ),
    Kind(
        "empty-200",
        "The request takes effect, and its answer is 200 with an empty body.",
        "took effect",
        with_body,
        after=_empty,
    ),
)
