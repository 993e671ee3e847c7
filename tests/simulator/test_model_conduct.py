"""Likewise for the rules about how it came to stand: tokens, restrictions, drafts, pauses, what waits and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.simulator.evidence import Refresh, Upset, Use, Version, Wait
from bridge.simulator.model import judge_early

from support.told import ADA, BEN, CY, ROUTES, WHOLE, at, comment, drafted, evidence, page, put, rules, told


def test_a_page_is_put_once() -> None:
    assert rules(told(), evidence(WHOLE, requests=(put(),))) == []
    assert rules(told(), evidence(WHOLE, requests=(put(), put(12)))) == ["written once"]
    assert rules(told(), evidence(WHOLE, requests=(put(), put(12, took_effect=False)))) == []


def test_an_author_only_page_is_restricted_when_its_text_comes() -> None:
    acts = told(label=False)
    acts.label(20, ADA, "m1 m2", "Confluence/Own")
    private = page(comment(2, 22), parent="1001", private=True, readers=(ADA,))
    asked = put(21, parent="1001", readers=(ADA,))
    assert rules(acts, evidence(private, requests=(asked,))) == []
    for readers in ((), (ADA, BEN)):
        found = rules(acts, evidence(private, requests=(replace(asked, readers=readers),)))
        assert found == ["restricted before readable"]


def test_a_route_that_was_open_a_moment_ago_may_have_been_meant() -> None:
    acts = told(label=False)
    acts.label(20, ADA, "m1 m2", "Confluence/Own")
    acts.done(20.5, "operator", "routes", **(ROUTES | {"route own": "Confluence/Own|ENG|page|1001|space"}))
    acts.done(20.8, "operator", "routes", **ROUTES)
    open_page = page(comment(2, 22), parent="1001")
    assert rules(acts, evidence(open_page, requests=(put(21, parent="1001"),))) == []


def test_only_those_who_follow_lend_their_token() -> None:
    assert rules(told(), evidence(WHOLE, requests=(put(),))) == []
    assert rules(told(), evidence(WHOLE, requests=(put(person=BEN),))) == ["own tokens only"]
    early = put(10.5)
    assert rules(told(), evidence(WHOLE, requests=(early,))) == ["own tokens only"]


def test_nobody_writes_a_mail_that_is_not_in_their_mailbox() -> None:
    acts = told()
    acts.label(11.5, BEN, "m1")
    acts.mail(14, 3, CY, [ADA, BEN], copies=f"{CY}=i3/t-cy@ {ADA}=i3/t-ada")
    asked = put(15, BEN, operation="createFooterComment", mail="m3@x", publishes=False)
    assert "own tokens only" in rules(acts, evidence(page(comment(2, 13), comment(3, 15)), requests=(asked,)))


def test_nothing_is_written_as_a_paused_person() -> None:
    acts = told()
    acts.done(12.5, "x", "look now")
    acts.done(13, ADA, "pause")
    acts.done(40, ADA, "resume")
    asked = put(20, operation="createFooterComment", publishes=False)
    assert rules(acts, evidence(WHOLE, requests=(replace(asked, at=at(13.05)),))) == []
    assert rules(acts, evidence(WHOLE, requests=(asked,))) == ["nothing after a pause"]
    forgotten = Upset(at(15), "restore", copied_at=at(12.8))
    assert rules(acts, evidence(WHOLE, requests=(asked,), upsets=(forgotten,))) == []


def test_a_token_that_was_taken_back_is_used_no_more() -> None:
    acts = told()
    acts.done(20, ADA, "lose google")
    acts.done(500, ADA, "connect google", outcome="connected")
    used = tuple(Use(at(40 + number), ADA, "google", 401) for number in range(12))
    assert rules(acts, evidence(WHOLE, uses=used[:3])) == []
    assert rules(acts, evidence(WHOLE, uses=used)) == ["nothing after a revocation"]


def test_a_second_draft_needs_a_lost_answer() -> None:
    first, second = drafted(11.2, "1003"), drafted(12, "1004")
    empty = page(id="1004", status="draft", mail="", words=frozenset({"ks0001abcde"}), versions=(Version(1, ADA, ""),))
    assert rules(told(), evidence(WHOLE, empty, requests=(first, second))) == ["drafts only for lost answers"]
    assert rules(told(), evidence(WHOLE, empty, requests=(replace(first, answered=False), second))) == []
    killed = Upset(at(11.21), "kill")
    assert rules(told(), evidence(WHOLE, empty, requests=(first, second), upsets=(killed,))) == []


def test_a_refresh_token_is_used_again_only_where_its_answer_was_lost() -> None:
    first, second = Refresh(at(20), ADA, "t1", True), Refresh(at(21), ADA, "t1", True)
    assert rules(told(), evidence(WHOLE, refreshes=(first, replace(second, token="t2")))) == []
    assert rules(told(), evidence(WHOLE, refreshes=(first, second))) == ["refreshed once"]
    assert rules(told(), evidence(WHOLE, refreshes=(replace(first, answered=False), second))) == []
    assert rules(told(), evidence(WHOLE, refreshes=(first, second), upsets=(Upset(at(20.5), "kill"),))) == []


def test_who_was_told_that_a_page_is_not_there_may_have_made_another() -> None:
    acts = told()
    acts.label(11.5, BEN, "m1")
    second = page(comment(2, 13, BEN, id="2020"), id="1004", author=BEN)
    assert rules(acts, evidence(WHOLE, second, unseen=frozenset({(BEN, "1003")}))) == []


def test_what_was_asked_for_anew_may_stand_twice_on_a_page_of_peoples() -> None:
    acts = told(label=False)
    acts.label(20, ADA, "m1 m2", "Confluence/Desk")
    entries = [comment(1, 21), comment(2, 22, parent="2001")]
    desk = page(*entries, id="1002", space="", mail="", words=frozenset(), author=CY)
    again = replace(desk, comments=(*entries, comment(1, 30, id="2040")))
    assert rules(acts, evidence(desk)) == []
    assert rules(acts, evidence(again)) == ["nothing twice"]
    acts.done(29, ADA, "publish anew", "c1", thread="t-ada")
    assert rules(acts, evidence(again)) == []


def test_a_deleted_comment_may_come_again_where_nobody_could_know_of_it() -> None:
    acts = told()
    acts.done(20, CY, "delete a comment", "c1", page="1003", comments="2002", mails="m2")
    posted = put(13, operation="createFooterComment", mail="m2@x", publishes=False)
    again = page(comment(2, 25, id="2030"))
    assert rules(acts, evidence(again, requests=(posted,))) == ["deleted stays deleted"]
    assert rules(acts, evidence(again, requests=(replace(posted, answered=False),))) == []
    forgotten = Upset(at(18), "restore", copied_at=at(12.9))
    assert rules(acts, evidence(again, requests=(posted,), upsets=(forgotten,))) == []


def test_nobody_waits_in_silence() -> None:
    row = Wait(ADA, "t-ada", "time", "put off", "a service failed 2 times in a row")
    assert judge_early(told().acts, evidence(page(), waits=(row,))) == []
    assert [one.rule for one in judge_early(told().acts, evidence(page()))] == ["nobody waits in silence"]
    assert judge_early(told().acts, evidence(WHOLE)) == []


@pytest.mark.parametrize(
    ("wait", "caught"),
    [
        (Wait(ADA, "t-ada", "time", "put off", "a service failed"), True),
        (Wait(ADA, "t-ada", "operator", "stuck", "nothing would take it up again"), True),
        (Wait(ADA, "", "person", "needs consent", "Ada: reconnect Gmail"), True),
        (Wait(ADA, "t-ada", "person", "page archived", "Ada: Page archived"), True),
        (Wait(ADA, "t-ada", "person", "narrow reply", "Ada: publish or leave out"), True),
        (Wait("dee@example.com", "", "person", "not connected", "Dee: connect Confluence too"), False),
    ],
)
def test_what_waits_has_a_cause(wait: Wait, caught: bool) -> None:
    assert rules(told(), evidence(WHOLE, waits=(wait,))) == (["waits with a reason"] if caught else [])


def test_who_may_not_use_a_space_waits_for_its_admin() -> None:
    acts = told(label=False)
    acts.label(20, BEN, "m1 m2", "Confluence/HR")
    row = Wait(BEN, "t-ben", "person", "no place", 'Ben: Space "HR" was not found')
    assert rules(acts, evidence(waits=(row,))) == []
    assert rules(acts, evidence()) == ["nothing lost"]


def test_no_quota_is_exceeded() -> None:
    assert rules(told(), evidence(WHOLE, refused=1)) == ["no quota exceeded"]
