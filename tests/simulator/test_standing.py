"""What a witness sees of the product's requests, and what it finds standing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.daemon.waiting import Waiting
from bridge.sandbox.faults import Rule
from bridge.simulator.evidence import Evidence, StandingFile, Upset, Version, Wait
from bridge.simulator.standing import Witness, collect, watch

from support.stories import ADA, BEN, ENG, START, Story, story

OWN = replace(ENG, visibility="author")


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[tuple[Story, Witness]]:
    with story(tmp_path, ENG) as s:
        witness = watch(s.world)
        s.connect(ADA, BEN)
        yield s, witness


def published(s: Story) -> dict[str, tuple[str, str]]:
    """Have Ada's mail to Ben published, with a file and Ben's reply."""
    sent = s.send(
        ADA, BEN, "Plan ks0001abcde", "Hello kw0001abcde.\n", files=[("plan.txt", "application/octet-stream", b"bytes")]
    )
    s.label(ADA, sent[ADA][1])
    s.reply(BEN, ADA, sent, "Fine, kw0002abcde.\n")
    s.passes()
    return sent


def evidence(s: Story) -> Evidence:
    return collect(s.world, (), ())


def test_a_page_stands_with_its_mail_its_words_and_its_files(seen: tuple[Story, Witness]) -> None:
    s, _ = seen
    sent = published(s)
    (page,) = [one for one in evidence(s).pages if one.mail]
    assert page.mail == s.message_id(ADA, sent[ADA][0])
    assert (page.kind, page.status, page.author, page.space, page.parent) == ("page", "current", ADA, "ENG", "")
    assert page.words == {"ks0001abcde", "kw0001abcde"}
    digest = hashlib.sha256(b"bytes").hexdigest()
    assert page.files == (StandingFile("plan.txt", (Version(1, ADA, digest),)),)
    assert [(one.author, one.words, one.parent) for one in page.comments] == [(ADA, frozenset({"kw0002abcde"}), "")]
    assert page.comments[0].mail.endswith("example.com")
    assert len(page.comments[0].key) == 10


def test_each_request_is_seen_with_who_asked_and_what_it_touched(seen: tuple[Story, Witness]) -> None:
    s, witness = seen
    published(s)
    (page,) = [one for one in evidence(s).pages if one.mail]
    operations = [one.operation for one in witness.requests]
    assert operations[:3] == ["createPage", "createAttachment", "updatePage"]
    assert operations[-1] == "createFooterComment"
    assert {(one.person, one.page, one.took_effect) for one in witness.requests} == {(ADA, page.id, True)}
    making, publishing = witness.requests[0], next(one for one in witness.requests if one.publishes)
    assert (making.draft, making.space, making.words) == (True, "ENG", frozenset({"ks0001abcde"}))
    assert (publishing.mail, publishing.readers) == (page.mail, ())
    assert {use.person for use in witness.uses} == {ADA, BEN}


def test_who_could_read_a_page_is_seen_in_the_moment_of_its_publication(tmp_path: Path) -> None:
    with story(tmp_path, OWN) as s:
        witness = watch(s.world)
        s.connect(ADA)
        published(s)
        page = next(one for one in evidence(s).pages if one.mail)
        s.wiki.restrict_page(page.id)
        publishing = next(one for one in witness.requests if one.publishes)
        assert publishing.readers == (ADA,)
        after = next(one for one in evidence(s).pages if one.mail)
        assert (after.private, after.readers) == (True, ())


def test_an_answer_that_was_lost_is_none(seen: tuple[Story, Witness]) -> None:
    s, witness = seen
    s.world.core.faults.append(Rule("createPage", "reset-after"))
    published(s)
    s.passes(3)
    first, second = [one for one in witness.requests if one.draft]
    assert (first.took_effect, first.answered) == (True, False)
    assert (second.took_effect, second.answered) == (True, True)
    assert [one.status for one in evidence(s).pages if one.id == first.page] == ["draft"]


def test_what_takes_effect_later_is_seen_then(seen: tuple[Story, Witness]) -> None:
    s, witness = seen
    s.world.core.faults.append(Rule("createPage", "late"))
    published(s)
    s.passes(3)
    drafts = [one for one in witness.requests if one.draft]
    assert [(one.late, one.took_effect) for one in drafts][:2] == [(False, False), (True, True)]


def test_a_refused_look_is_kept(seen: tuple[Story, Witness]) -> None:
    s, witness = seen
    sent = published(s)
    page = next(one for one in evidence(s).pages if one.mail)
    s.wiki.restrict_page(page.id, read=[ADA])
    s.label(BEN, sent[BEN][1])
    s.passes()
    assert (BEN, page.id) in witness.unseen


def test_a_refresh_is_seen_without_its_token(seen: tuple[Story, Witness]) -> None:
    s, witness = seen
    assert witness.refreshes == []
    s.wait(7200)
    published(s)
    (one,) = [refresh for refresh in witness.refreshes if refresh.person == ADA]
    assert one.answered
    assert len(one.token) == 16


def test_a_quota_that_was_used_up_is_counted(seen: tuple[Story, Witness]) -> None:
    s, _ = seen
    s.world.google.api.quota.limit = 1
    s.passes(1)
    assert evidence(s).refused > 0


def test_rows_and_upsets_are_handed_on(seen: tuple[Story, Witness]) -> None:
    s, _ = seen
    row = Waiting(ADA, "t1", START, "person", "Ada: publish or leave out", "narrow reply", "k1")
    upset = Upset(START + timedelta(hours=1), "kill")
    found = collect(s.world, [row], [upset])
    assert found.waits == (Wait(ADA, "t1", "person", "narrow reply", "Ada: publish or leave out"),)
    assert found.upsets == (upset,)


def test_what_people_made_by_hand_was_made_nowhere(seen: tuple[Story, Witness]) -> None:
    s, _ = seen
    page = s.wiki.create_page(BEN, "ENG", "By hand", "<p>kw0009abcde</p>")
    s.wiki.add_comment(ADA, page.id, "<p>Said.</p>")
    found = next(one for one in evidence(s).pages if one.id == page.id)
    assert (found.space, found.mail, found.words, found.private) == ("", "", frozenset({"kw0009abcde"}), False)
    assert [(one.author, one.mail, one.key) for one in found.comments] == [(ADA, "", "")]
