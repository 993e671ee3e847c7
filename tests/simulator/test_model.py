"""The model must bite: for each rule about what stands a case that passes and one that is caught, made by hand."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.simulator import acts, model
from bridge.simulator import evidence as evidence_values
from bridge.simulator.evidence import StandingFile, Upset, Version, Wait
from bridge.simulator.model import RULES, judge

from support.told import ADA, BEN, CY, HASH, OTHER, WHOLE, Told, at, comment, drafted, evidence, page, put, rules, told


def test_a_good_run_is_not_blamed() -> None:
    assert judge(told().acts, evidence(WHOLE, requests=(drafted(11.4, "1003"), put()))) == []


def test_every_rule_has_a_sentence() -> None:
    assert [name for name, rule in RULES.items() if not (rule.__doc__ or "").strip().endswith(".")] == []


def test_the_model_knows_nothing_of_the_product() -> None:
    files = [*Path(model.__file__).parent.glob("model*.py"), Path(evidence_values.__file__), Path(acts.__file__)]
    assert len(files) > 5
    for file in files:
        tree = ast.parse(file.read_text())
        named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        ours = {name.removeprefix("bridge.simulator").strip(".") for name in named if name.startswith("bridge")}
        assert all(one in ("", "acts", "evidence") or one.startswith("model") for one in ours), file.name


def test_a_mail_that_stands_nowhere_is_lost() -> None:
    found = judge(told().acts, evidence(page()))
    assert [one.rule for one in found] == ["nothing lost"]
    assert "m2 stands nowhere" in found[0].sentence
    assert (found[0].conversation, found[0].acts) == ("c1", (8, 9, 10))


def test_what_was_never_labelled_is_owed_to_nobody() -> None:
    assert rules(told(label=False), evidence()) == []


@pytest.mark.parametrize(
    ("who", "kind", "details"),
    [
        (ADA, "trash", {"mail": "m2"}),
        (ADA, "lose atlassian", {}),
        (ADA, "pause", {}),
        ("operator", "routes", {"route own": "Confluence/Own|ENG|page|1001|author"}),
    ],
)
def test_what_people_took_away_is_not_lost(who: str, kind: str, details: dict[str, str]) -> None:
    acts = told()
    acts.done(12.1, who, kind, "c1" if kind == "trash" else "", **details)
    assert rules(acts, evidence(page())) == []


def test_a_page_in_the_trash_holds_up_what_follows_if_status_says_so() -> None:
    acts = told()
    acts.done(11.8, BEN, "trash a page", "c1", page="1003")
    trashed = page(status="trashed")
    row = Wait(ADA, "t-ada", "person", "removed in Confluence", "Ada: Removed in Confluence")
    assert rules(acts, evidence(trashed, waits=(row,))) == []
    assert rules(acts, evidence(trashed)) == ["nothing lost"]


def test_a_page_taken_out_of_the_trash_is_owed_everything() -> None:
    acts = told()
    acts.done(11.8, BEN, "trash a page", "c1", page="1003")
    acts.done(30, BEN, "restore a page", "c1", page="1003")
    assert rules(acts, evidence(page())) == ["nothing lost"]


def test_a_mail_stands_once_on_a_page() -> None:
    assert rules(told(), evidence(page(comment(2, 13), comment(2, 14, id="2020")))) == ["nothing twice"]


def test_a_mail_stands_on_one_page_at_a_place() -> None:
    acts = told()
    acts.label(11.5, BEN, "m1")
    second = page(comment(2, 13, BEN, id="2020"), id="1004", author=BEN)
    assert rules(acts, evidence(WHOLE, second)) == ["nothing twice"]


def test_who_could_not_see_a_page_has_one_of_their_own() -> None:
    acts = told()
    acts.done(11.4, ADA, "restrict a page", "c1", page="1003", readers=ADA)
    acts.label(20, BEN, "m1 m2")
    second = page(comment(2, 21, BEN, id="2020"), id="1004", author=BEN)
    assert rules(acts, evidence(replace(WHOLE, readers=(ADA,)), second)) == []


def test_comments_stand_in_the_order_of_their_mails() -> None:
    acts = told()
    acts.mail(14, 3, CY, [ADA, BEN])
    assert rules(acts, evidence(page(comment(2, 13), comment(3, 15)))) == []
    assert rules(acts, evidence(page(comment(3, 15), comment(2, 16)))) == ["order kept"]


def test_what_was_in_the_trash_meanwhile_may_come_last() -> None:
    acts = told()
    acts.done(12.1, ADA, "trash", "c1", mail="m2")
    acts.mail(14, 3, CY, [ADA, BEN])
    acts.done(15.5, ADA, "untrash", "c1", mail="m2")
    assert rules(acts, evidence(page(comment(3, 15), comment(2, 16)))) == []


def test_what_was_never_labelled_stands_nowhere() -> None:
    assert rules(told(label=False), evidence(page())) == ["nothing unlabelled or held published"]


def test_a_slip_publishes_nothing() -> None:
    acts = told(label=False)
    acts.label(20, ADA, "m1 m2")
    acts.label(20.1, ADA, "m1 m2", off=True)
    assert rules(acts, evidence(page())) == ["nothing unlabelled or held published"]
    clock = Upset(at(20.05), "clock")
    assert rules(acts, evidence(page(), upsets=(clock,))) == []


def test_a_label_leads_only_where_its_route_leads() -> None:
    assert "nothing unlabelled or held published" in rules(told(), evidence(replace(WHOLE, space="OPS")))


def test_replies_after_the_label_went_are_not_published() -> None:
    acts = told()
    acts.label(13, ADA, "m1 m2", off=True)
    acts.mail(14, 3, CY, [ADA, BEN])
    assert rules(acts, evidence(page(comment(2, 12.5), comment(3, 15)))) == ["nothing unlabelled or held published"]
    assert rules(acts, evidence(page(comment(2, 12.5)))) == []


def test_a_narrow_reply_waits_for_its_person() -> None:
    acts = told()
    acts.mail(14, 3, BEN, [ADA])
    both = page(comment(2, 13), comment(3, 15))
    row = Wait(ADA, "t-ada", "person", "narrow reply", "Ada: publish or leave out")
    assert rules(acts, evidence(both)) == ["nothing unlabelled or held published"]
    assert rules(acts, evidence(WHOLE, waits=(row,))) == []
    acts.done(20, ADA, "answer", "c1", reason="narrow reply", choice="publish", threads="t-ada")
    assert rules(acts, evidence(both)) == []
    acts.label(30, BEN, "m1 m2 m3")
    taken_over = page(comment(2, 13), comment(3, 31, BEN))
    assert rules(acts, evidence(taken_over)) == []


def test_each_person_writes_only_what_they_have_and_follow() -> None:
    by_ben = page(comment(2, 13, BEN))
    assert rules(told(), evidence(by_ben)) == ["nothing unlabelled or held published"]


def test_a_file_of_a_mail_is_there_once() -> None:
    acts = Told()
    acts.mail(10, 1, ADA, [BEN, CY], files=f"plan.txt:{HASH}")
    acts.label(11, ADA, "m1")
    one = StandingFile("plan.txt", (Version(1, ADA, HASH),))
    assert rules(acts, evidence(page(files=(one,)))) == []
    assert rules(acts, evidence(page(files=(one, replace(one, name="plan-2.txt"))))) == ["each file once"]
    assert rules(acts, evidence(page())) == ["each file once"]
    refused = put(11.4, operation="createAttachment", publishes=False, took_effect=False, status=413)
    assert rules(acts, evidence(page(), requests=(refused,))) == []


def test_a_file_of_an_unlabelled_mail_is_nowhere() -> None:
    acts = Told()
    acts.mail(10, 1, ADA, [BEN, CY], files=f"plan.txt:{HASH}")
    hand = page(mail="", words=frozenset(), files=(StandingFile("plan.txt", (Version(1, ADA, HASH),)),))
    assert rules(acts, evidence(hand)) == ["nothing unlabelled or held published"]


def test_a_deleted_comment_stays_deleted() -> None:
    acts = told()
    acts.done(20, CY, "delete a comment", "c1", page="1003", comments="2002", mails="m2")
    assert rules(acts, evidence(page())) == []
    assert rules(acts, evidence(page(comment(2, 25, id="2030")))) == ["deleted stays deleted"]
    restored = Upset(at(24), "restore", copied_at=at(12.2))
    assert rules(acts, evidence(page(comment(2, 25, id="2030")), upsets=(restored,))) == []


def test_an_edit_by_hand_stays_as_it_was_left() -> None:
    acts = told()
    acts.done(20, CY, "edit a page", "c1", page="1003", version="2", digest="v2")
    edited = replace(WHOLE, versions=(Version(1, ADA, "v1"), Version(2, CY, "v2")))
    assert rules(acts, evidence(edited)) == []
    assert rules(acts, evidence(WHOLE)) == ["people's edits stand"]


def test_a_comment_by_hand_stays_as_it_was_left() -> None:
    acts = told()
    acts.done(20, CY, "comment", "c1", page="1003", comment="2050", parent="", digest="h")
    by_hand = comment(9, 20, CY, id="2050", mail="", words=frozenset(), digest="h")
    assert rules(acts, evidence(page(comment(2, 13), by_hand))) == []
    assert rules(acts, evidence(page(comment(2, 13), replace(by_hand, digest="x")))) == ["people's edits stand"]
    assert rules(acts, evidence(WHOLE)) == ["people's edits stand"]


def test_a_file_by_hand_stays_as_it_was_left() -> None:
    acts = told()
    acts.done(20, CY, "upload", "c1", page="1003", name="plan.txt", digest=HASH)
    hers = StandingFile("plan.txt", (Version(1, CY, HASH),))
    assert rules(acts, evidence(replace(WHOLE, files=(hers,)))) == []
    assert rules(acts, evidence(WHOLE)) == ["people's files stand"]
    covered = replace(hers, versions=(*hers.versions, Version(2, ADA, OTHER)))
    assert rules(acts, evidence(replace(WHOLE, files=(covered,)))) == ["people's files stand"]
