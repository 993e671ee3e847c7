"""What ``mailbridge explain`` prints: the state first, then what was decided and done, the next step last. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bridge.daemon import words
from bridge.daemon.explaining import EntryFacts, Explained, PageFacts, RouteVerdict, Step, WriteFacts
from bridge.daemon.waiting import Waiting
from bridge.render.dates import day

MOST_STEPS = 60
"""How many steps the text tells, the newest; the JSON has all."""

_MOST_WRITES = 12
_STATES = {
    "following": "Followed",
    "held": "Waits for an answer",
    "ignored": "Left alone",
    "stopped": "Not followed any more",
    "taken down": "Taken down",
    "needs somebody": "Needs somebody",
    "observed": "Observed",
}
_KINDS = {"page": "page", "blogpost": "blog post", "comment": "comment"}


def text(found: Iterable[Explained], now: datetime) -> str:
    """Return the stories of some threads as the terminal shows them."""
    return "\n\n".join("\n".join(_lines(one, now)) for one in found)


def _lines(one: Explained, now: datetime) -> Iterator[str]:
    yield _head(one)
    yield from _state(one, now)
    yield from _routes(one.routes)
    if one.page is not None:
        yield from _page(one.page, now)
    yield from _steps(one.steps)
    yield f"{_next_step(one)}       All fields: --json"


def _head(one: Explained) -> str:
    label = f", label {one.label}" if one.label else ""
    mails = f", {words.count(one.mails, 'mail')}" if one.mails else ", not read yet"
    subject = f" Subject: {words.printable(one.subject)}" if one.subject else ""
    if one.subject_hidden:
        subject = " Subject hidden (admin_sees_subjects = false)."
    return f"Thread {one.thread} of {one.address}{mails}{label}.{subject}"


def _state(one: Explained, now: datetime) -> Iterator[str]:
    mine = [row for row in one.waits if row.thread_id]
    told = bool(mine)
    for row in mine:
        tried = f" Tried {words.count(one.tries, 'time')}." if one.tries and row.whose != "time" else ""
        yield _waits(row, now) + tried
    for row in one.waits:
        if not row.thread_id:
            whole = words.upper_first(row.id.strip("()"))
            yield f"{whole} waits since {_time(row.since, now)}: {_sentence(row.what)}"
    page = one.page
    if page is not None and page.state == "published":
        replies = sum(entry.state == "done" and entry.kind == "comment" for entry in page.entries)
        more = f" ({words.count(replies, 'comment')})" if replies else ""
        verb = "Published" if page.remote == "" else f"Published, now {page.remote}"
        yield f"{verb} by {page.writer} as a {_KINDS[page.kind]}{more}: {page.url or page.content_id}"
    elif page is not None and page.state == "removed":
        yield f"Removed in Confluence. It stood at {page.url or page.content_id}"
    if not told and (one.detail or page is None or page.state != "published" or one.state != "following"):
        said = f" {words.printable(one.detail)}" if one.detail else ""
        yield f"{_STATES.get(one.state, one.state)} since {_time(one.since, now)}.{said}"


def _waits(row: Waiting, now: datetime) -> str:
    whose = {"person": ", for ", "operator": ", for you: ", "time": ": "}[row.whose]
    again = ""
    if row.until is not None:
        again = f" Looked at again {'now' if row.until <= now else 'at ' + _time(row.until, now)}."
    return f"Waits since {_time(row.since, now)}{whose}{_sentence(row.what)}{again}"


def _routes(routes: Iterable[RouteVerdict]) -> Iterator[str]:
    """Tell the chosen route, and those that share its label; how many others there are, not their names."""
    unseen = 0
    for route in routes:
        line = f" (line {route.line})" if route.line else ""
        if route.chosen:
            yield f'  Route     "{route.name}"{line} chosen: {route.why}'
        elif "was not seen" in route.why:
            unseen += 1
        else:
            yield f'            "{route.name}"{line} not: {route.why}'
    if unseen:
        whose = "their labels were" if unseen > 1 else "its label was"
        yield f"            {words.count(unseen, 'other route')} not: {whose} not seen on the thread"


def _page(page: PageFacts, now: datetime) -> Iterator[str]:
    if page.tries or (page.detail and page.state != "published"):
        again = f"; tried again at {_time(page.next_try_at, now)}" if page.next_try_at else ""
        yield f"  Tried     {words.count(page.tries, 'time')} without success{again}. {words.printable(page.detail)}"
    if len(page.followers) > 1:
        yield f"  Followed  by {', '.join(page.followers)}"
    if page.successor:
        yield f"  Then      published anew as /p/{page.successor}"
    for entry in page.entries:
        if said := _entry(entry, now):
            yield f"  Mail      {entry.mail}: {said}"
    shown = [row for row in page.writes if row.state != "done" or row.tries > 1][:_MOST_WRITES]
    for row in shown:
        yield f"  Write     {_write(row, now)}"
    done = sum(row.state == "done" for row in page.writes)
    yield f"  Writes    {done} of {len(page.writes)} done, {words.count(len(page.entries), 'mail')} in it"


def _entry(entry: EntryFacts, now: datetime) -> str:
    said = []
    if entry.state == "held":
        said.append(f"held. {entry.detail} {entry.question} mailbridge answer {entry.marker} CHOICE")
    elif entry.answer:
        said.append(f"its person answered {entry.answer}; {entry.state}")
    elif entry.state != "done":
        said.append(f"{entry.state}. {entry.detail}".rstrip(". ") if entry.detail else entry.state)
    if entry.plain:
        said.append("its text was refused, so plain words stand instead")
    if entry.kept_until is not None:
        said.append(f"the refused text is kept, sealed, until {words.date(entry.kept_until, now)}")
    return words.printable("; ".join(said))


def _write(row: WriteFacts, now: datetime) -> str:
    last = (
        f", last answer {row.status} {words.printable(row.answer)[:120]}".rstrip() if row.status or row.answer else ""
    )
    if row.status == 200 and row.state == "done":
        last = ""
    at = f" at {_time(row.sent_at, now)}" if row.sent_at else ""
    look = f"; looked for at {_time(row.look_after, now)}" if row.state == "sent" and row.look_after else ""
    where = f" {row.remote_id}" if row.remote_id else ""
    return f"{row.kind}{where}: {row.state}, sent {words.count(row.tries, 'time')}{at} as {row.address}{last}{look}"


def _steps(steps: tuple[Step, ...]) -> Iterator[str]:
    shown = steps[-MOST_STEPS:]
    if len(steps) > len(shown):
        yield f"  ({len(steps) - len(shown)} earlier steps: --json has all)"
    today = ""
    for step in shown:
        if (date := day(step.at, "UTC")) != today:
            today = date
            yield f"  {date} (UTC)"
        route = f', route "{step.route}"' if step.what == "label seen" else ""
        yield f"  {step.at:%H:%M:%S}  {words.printable(step.said)}{route}"


def _next_step(one: Explained) -> str:
    asked = next((row for row in one.waits if row.thread_id and row.whose == "person"), None)
    if asked is not None and one.state == "held":
        return "Then: mailbridge held   shows what may be answered, and how"
    if any(entry.state == "held" for entry in one.page.entries) if one.page is not None else False:
        return "Then: mailbridge held   shows what may be answered, and how"
    if one.reason == "removed in Confluence":
        return f"Then: mailbridge republish {one.thread}"
    if asked is not None:
        return f"Then: once that is done, mailbridge retry {one.thread}"
    if any(row.whose == "operator" and row.thread_id for row in one.waits):
        return f"Then: mailbridge retry {one.thread}"
    whole = next((row for row in one.waits if not row.thread_id and ": " in row.what), None)
    if whole is not None:
        return f"Then: {whole.what.rpartition(': ')[2]}"
    if one.state == "observed":
        return 'Then: [safety] mode = "publish" publishes it'
    if one.reason == "forgotten":
        return f"Then: mailbridge forget {one.thread} --undo   follows it again"
    return "Nothing for you to do."


def _sentence(said: str) -> str:
    told = words.printable(said)
    return told if told.endswith((".", "?", "!")) or "mailbridge " in told else told + "."


def _time(instant: datetime, now: datetime) -> str:
    """Return the time of day, and the day where it is not today's; UTC."""
    clock = f"{instant:%H:%M}"
    return clock if instant.date() == now.date() else f"{words.date(instant, now)}, {clock}"
