from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sandbox import storage


def new_id() -> str:
    return "11111111-2222-4333-8444-555555555555"


def macro(name: str, inside: str = "") -> str:
    return f'<ac:structured-macro ac:name="{name}">{inside}</ac:structured-macro>'


def rich(name: str, inside: str = "<p>x</p>") -> str:
    return macro(name, f"<ac:rich-text-body>{inside}</ac:rich-text-body>")


PANEL = macro(
    "panel",
    '<ac:parameter ac:name="panelIcon">:envelope:</ac:parameter><ac:parameter ac:name="bgColor">#F7F8F9</ac:parameter>'
    "<ac:rich-text-body><p><strong>Ada</strong> wrote<br/>"
    '<a href="https://mail.google.com/mail/?mailbridge=k#search/rfc822msgid%3Ax1%40acme.example">Open</a></p>'
    '<p><span style="color: rgb(98,111,134);">Published from mail.</span></p></ac:rich-text-body>',
)
LINK = (
    '<ac:link><ri:attachment ri:filename="plan.pdf"/>'
    "<ac:plain-text-link-body><![CDATA[plan.pdf]]></ac:plain-text-link-body></ac:link>"
)
GOOD = {
    "panel": PANEL,
    "link to a file": f"<ul><li><p>{LINK} (PDF)</p></li></ul>",
    "image": '<ac:image ac:alt="a" ac:layout="center" ac:width="480"><ri:attachment ri:filename="t.png"/></ac:image>',
    "expand": rich("expand", "<blockquote><p>x</p></blockquote>"),
    "code": macro("code", "<ac:plain-text-body><![CDATA[a < b && c]]]]><![CDATA[>]]></ac:plain-text-body>"),
    "table": (
        '<table data-layout="align-start" data-table-width="760"><colgroup><col style="width: 120.0px;"/></colgroup>'
        '<tbody><tr><th><p>A</p></th><td colspan="2" data-highlight-colour="#ffffff"><p>x</p></td></tr></tbody></table>'
    ),
    "status": "<p>" + macro("status", '<ac:parameter ac:name="colour">Red</ac:parameter>') + "</p>",
    "tasks": (
        "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status>"
        "<ac:task-body>x</ac:task-body></ac:task></ac:task-list>"
    ),
    "layout": (
        '<ac:layout><ac:layout-section ac:type="single"><ac:layout-cell><p>x</p></ac:layout-cell>'
        "</ac:layout-section></ac:layout>"
    ),
    "text": "plain &amp; &#160; &lt; 😀 <em>x</em>",
    "lists": '<ol start="3"><li><p>a</p><ul><li>b</li></ul></li></ol>',
    "time": '<p><time datetime="2026-03-03"/></p>',
    "mention": '<p><ac:link><ri:user ri:account-id="557058:ada"/></ac:link></p>',
}


@pytest.mark.parametrize("value", GOOD.values(), ids=GOOD.keys())
def test_what_is_known_to_be_displayed_is_accepted(value: str) -> None:
    assert list(storage.faults(value)) == []
    assert list(storage.faults(storage.saved(value, new_id))) == []


BAD = {
    "<script>x</script>": "Element <script> is not known",
    '<p onclick="x">a</p>': "Attribute onclick is not known on <p>",
    '<a href="javascript:x">a</a>': 'href="javascript:x" is not allowed on <a>',
    "<a>a</a>": "<a> needs href",
    '<p style="position: fixed">a</p>': 'style="position: fixed" is not allowed on <p>',
    "<p><p>a</p></p>": "Block <p> cannot stand in <p>",
    "<p><ul><li>a</li></ul></p>": "Block <ul> cannot stand in <p>",
    "<ul><p>a</p></ul>": "<p> cannot stand directly in <ul>",
    "<ul>text</ul>": "Text cannot stand directly in <ul>",
    "<li>a</li>": "<li> cannot stand in <storage>",
    "<table><tbody><tr><td><table><tbody/></table></td></tr></tbody></table>": "<table> cannot stand inside <table>",
    macro("html"): "Macro html is not known",
    macro("toc", '<ac:parameter ac:name="evil">x</ac:parameter>'): "Parameter evil is not known on macro toc",
    macro("expand"): "Macro expand needs one rich body",
    rich("toc"): "Macro toc needs no body",
    rich("expand", rich("expand")): "Macro expand cannot stand inside another expand",
    rich("panel", rich("info")): "Macro info cannot stand inside another panel",
    f"<p>{rich('info')}</p>": "Macro info cannot stand in <p>",
    '<ac:image ac:width="50%"><ri:url ri:value="https://a.example/x"/></ac:image>': 'ac:width="50%" is not allowed',
    "<dl><dt>a</dt></dl>": "Element <dl> is not known",
    '<a href="/x"><a href="/y">z</a></a>': "<a> cannot stand inside <a>",
    '<p xmlns="urn:other">a</p>': "Element <{urn:other}p> is not known",
}


@pytest.mark.parametrize(("value", "fault"), BAD.items())
def test_what_is_not_known_is_refused_when_strict(value: str, fault: str) -> None:
    assert next(storage.faults(value)).startswith(fault)
    assert list(storage.faults(value, strict=False)) == []


ILL_FORMED = {
    "<p>a": "Error parsing xhtml: mismatched tag",
    "&nbsp;": "Error parsing xhtml: undefined entity",
    "<o:p>a</o:p>": "Error parsing xhtml: unbound prefix",
    "<p a>x</p>": "Error parsing xhtml: not well-formed (invalid token)",
    "</storage><storage>": "Error parsing xhtml: junk after document element",
    "<!DOCTYPE p><p/>": "Error parsing xhtml: not well-formed (invalid token)",
    "a\x0bb": "Error parsing xhtml: Illegal character entity: expansion character (code 0xb)",
    "a\ud800b": "Error parsing xhtml: Illegal character entity: expansion character (code 0xd800)",
    "a\ufffeb": "Error parsing xhtml: Illegal character entity: expansion character (code 0xfffe)",
    "&#0;": "Error parsing xhtml: reference to invalid character number",
}


@pytest.mark.parametrize(("value", "fault"), ILL_FORMED.items())
def test_what_is_not_well_formed_is_refused_even_when_not_strict(value: str, fault: str) -> None:
    found = list(storage.faults(value, strict=False))
    assert len(found) == 1
    assert found[0].startswith(fault)
    assert re.search(r"\n at \[row,col \{unknown-source\}\]: \[\d+,\d+\]$", found[0])


def test_the_place_of_a_fault_counts_from_the_body_itself() -> None:
    with pytest.raises(storage.StorageFault, match=re.escape("[1,7]")):
        storage.check("<p>a</b>")
    with pytest.raises(storage.StorageFault, match=re.escape("[2,3]")):
        storage.check("<p>\n</b>")


@pytest.mark.parametrize("value", [rich("expand"), PANEL, macro("toc"), GOOD["layout"]])
def test_comments_hold_less(value: str) -> None:
    assert list(storage.faults(value, place="page")) == []
    assert "in a comment" in next(storage.faults(value, place="comment"))


def test_files_must_be_there_but_not_those_of_other_pages() -> None:
    assert next(storage.faults(f"<p>{LINK}</p>", files={"other.pdf"})).startswith("No file named plan.pdf")
    assert list(storage.faults(f"<p>{LINK}</p>", files={"plan.pdf"})) == []
    other = '<ac:image><ri:attachment ri:filename="x.png"><ri:page ri:content-title="T"/></ri:attachment></ac:image>'
    assert list(storage.faults(other, files=set())) == []


def test_saving_adds_spaces_and_ids_and_keeps_the_rest() -> None:
    sent = (
        '<p style="text-align: start;">a<br/>b > c</p><hr /><!-- gone --><?pi?>'
        '<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[<hr/> <!-- stays -->]]></ac:plain-text-body>'
        "</ac:structured-macro>"
    )
    assert storage.saved(sent, new_id) == (
        '<p style="">a<br />b > c</p><hr />'
        f'<ac:structured-macro ac:name="code" ac:schema-version="1" ac:macro-id="{new_id()}">'
        "<ac:plain-text-body><![CDATA[<hr/> <!-- stays -->]]></ac:plain-text-body></ac:structured-macro>"
    )


def test_ids_that_saving_adds_can_be_taken_out_again() -> None:
    sent = rich("expand").replace("/>", " />")
    assert storage.without_ids(storage.saved(sent, new_id)) == sent


@given(st.text())
def test_text_of_any_kind_is_judged_without_another_error(value: str) -> None:
    faults = list(storage.faults(value))
    if not faults:
        saved = storage.saved(value, new_id)
        assert list(storage.faults(saved)) == []
        assert storage.saved(saved, new_id) == saved


def test_every_example_of_the_page_as_a_reader_sees_it_is_accepted(shared: Path) -> None:
    examples = re.findall(r"```xml\n(.*?)```", (shared / "page.md").read_text("utf-8"), re.DOTALL)
    assert len(examples) >= 3
    for example in examples:
        assert list(storage.faults(example)) == []
