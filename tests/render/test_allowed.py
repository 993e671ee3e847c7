from __future__ import annotations

import pytest

from bridge.render.allowed import check

IMAGE = '<ac:image ac:alt="a" ac:layout="center"><ri:attachment ri:filename="a.png"/></ac:image>'


@pytest.mark.parametrize(
    "storage",
    [
        "", "text", "<p>a<br/>b</p><hr/>", "<p><a href=\"https://x.example/?a=1&amp;b\">x</a></p>", IMAGE,
        '<p><span style="color: rgb(98,111,134);">x</span></p>', "<ul><li><p>a</p><ol><li><p>b</p></li></ol></li></ul>",
        '<table data-layout="align-start" data-table-width="760"><colgroup><col style="width: 120.0px;"/></colgroup>'
        '<tbody><tr><th><p>a</p></th><td colspan="2"><blockquote><p>b</p></blockquote></td></tr></tbody></table>',
        '<ac:structured-macro ac:name="status"><ac:parameter ac:name="title">Cancelled</ac:parameter>'
        '<ac:parameter ac:name="colour">Red</ac:parameter></ac:structured-macro>',
        '<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[<x>]]></ac:plain-text-body>'
        "</ac:structured-macro>",
    ],
)  # fmt: skip
def test_what_the_bridge_writes_has_no_fault(storage):
    assert check(storage) == []


@pytest.mark.parametrize(
    ("storage", "fault"),
    [
        ("<p>a", "not well-formed"), ("<p>&nbsp;</p>", "not well-formed"), ("<p>\x0b</p>", "not well-formed"),
        ("\ud800", "not UTF-8"), ("<o:p>x</o:p>", "not well-formed"), ("<script>x</script>", "element script"),
        ("<p onclick=\"x\">a</p>", "attribute onclick of p"),
        ("<p><a href=\"javascript:x\">a</a></p>", "value of href"),
        ("<p><a href=\"data:text/html,x\">a</a></p>", "value of href"), ("<p><img src=\"x\"/></p>", "element img"),
        ('<ac:structured-macro ac:name="html"/>', "value of ac:name"),
        ('<p><ri:user ri:account-id="1"/></p>', "element ri:user"),
        ('<ac:image ac:alt="" ac:layout="center"><ri:url ri:value="https://x.example/"/></ac:image>', "element ri:url"),
        ("<blockquote><blockquote><p>a</p></blockquote></blockquote>", "blockquote inside blockquote"),
        ("<ul><p>a</p></ul>", "ul holds ['p']"), ("<p><p>a</p></p>", "p inside p"),
        ('<ac:structured-macro ac:name="panel"><ac:parameter ac:name="onclick">x</ac:parameter></ac:structured-macro>',
         "parameter onclick of panel"),
        ('<ac:structured-macro ac:name="expand"><ac:rich-text-body><ac:structured-macro ac:name="expand">'
         "<ac:rich-text-body/></ac:structured-macro></ac:rich-text-body></ac:structured-macro>",
         "expand inside expand"),
        ('<ac:structured-macro ac:name="code"><ac:rich-text-body/></ac:structured-macro>', "ac:rich-text-body in code"),
        ("<!DOCTYPE p [<!ENTITY a \"b\">]><p>&a;</p>", "not well-formed"),
    ],
)  # fmt: skip
def test_faults(storage, fault):
    assert any(found.startswith(fault) for found in check(storage)), check(storage)
