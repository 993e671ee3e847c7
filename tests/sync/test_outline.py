from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.config import Pages, Web
from bridge.model import Person, PlacedFile
from bridge.store.tables import Entry, Grant, Publication
from bridge.sync.outline import history_message, look, short_date

from support.sync import ENG, NOW, mail, settings


def _look(**web: Any) -> Any:
    pages = Pages(timezone="Europe/Vienna", signatures="drop", remote_images="drop")
    route = replace(ENG, pages=pages, replies="none")
    chosen = replace(settings(route, max_body=100_000), web=Web(**web))
    grant = Grant(account_id=1, provider="atlassian", subject="s", name="Ada", sealed="", state_since=NOW,
                  refreshed_at=NOW, connected_at=NOW)  # fmt: skip
    publication = Publication(uid="u1", destination="d", account_id=1, cloud_id="c", kind="page", space_id="1",
                              created_at=NOW)  # fmt: skip
    entry = Entry(publication_id=1, message_key="k", ordinal=0, kind="body", key="abc", mailbox_id=1, thread_id="t1",
                  message_id="m1", sent_on=NOW, since=NOW)  # fmt: skip
    return look(chosen, route, grant, publication, entry, mail(), {"1": PlacedFile("a", 1, "text/plain")}, ())


def test_a_renderer_is_told_the_route_s_own_words_and_the_marker() -> None:
    found = _look(public_url="https://bridge.example.com/")
    assert found.mail_url == "https://mail.google.com/mail/?mailbridge=abc#search/rfc822msgid%3A1%40example.com"
    assert found.about_url == "https://bridge.example.com/p/u1"
    assert (found.published_by, found.timezone, found.signatures) == ("Ada", "Europe/Vienna", "drop")
    assert (found.remote_images, found.max_body, found.replies_follow) == ("drop", 100_000, False)
    assert found.own_domains == ("example.com",)
    assert found.files["1"].name == "a"


def test_without_a_public_address_there_is_nowhere_to_point_to() -> None:
    assert _look().about_url == ""


def test_what_stands_in_a_page_s_history() -> None:
    message = mail(sender="petra@acme.example", date=datetime(2026, 3, 3, 23, 30, tzinfo=UTC))
    assert history_message(replace(message, sender=Person("Petra Novak", "petra@acme.example")), "UTC") == (
        "From Petra's mail, 3 Mar 2026"
    )
    assert history_message(message, "Europe/Vienna") == "From petra's mail, 4 Mar 2026"
    assert short_date(message.date, "America/New_York") == "3 Mar 2026"


@given(st.text(max_size=20), st.sampled_from(["", "x@y.example", "@", " @y"]))
def test_whatever_a_sender_is_called_there_is_a_sentence(name: str, address: str) -> None:
    said = history_message(replace(mail(), sender=Person(name, address)), "UTC")
    assert said.startswith("From ")
    assert said.endswith("'s mail, 19 Apr 2026")
