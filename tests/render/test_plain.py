from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.render import emit, plain


def written(text, look):
    return emit.write(plain.blocks(text, look), emit.PAGE)


def code(text):
    return (
        f'<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[{text}]]></ac:plain-text-body>'
        "</ac:structured-macro>"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n\n\nc\n", "<p>a<br/>b</p><p>c</p>"),
        ("- a\n- b", "<p>- a<br/>- b</p>"),
        ("- a\n  goes on\n- b", "<p>- a<br/>\u00a0\u00a0goes on<br/>- b</p>"),
        ("", ""),
        ("*not bold*  _x_", "<p>*not bold*  _x_</p>"),
        ("see https://x.example/a_(b), or <http://y.example>.",
         '<p>see <a href="https://x.example/a_(b)">https://x.example/a_(b)</a>, or '
         '&lt;<a href="http://y.example">http://y.example</a>&gt;.</p>'),
        ("https://x.example/verify?token=1", "<p>https://x.example/verify?token=1</p>"),
        ("http://", "<p>http://</p>"),
    ],
)  # fmt: skip
def test_lines(text, expected, look):
    assert written(text, look) == expected


def test_links_that_act_stay_if_wished(look):
    assert "<a " in written("https://x.example/verify?token=1", replace(look, action_links="keep"))


def test_what_was_meant_for_a_fixed_width_stays_so(look):
    assert written("    ./check --all\n\n    ./check", look) == code("    ./check --all\n\n    ./check")
    assert written("name     size\nreport   12", look) == code("name     size\nreport   12")
    assert written("+---+---+\n| a | b |\n+---+---+", look) == code("+---+---+\n| a | b |\n+---+---+")


def test_a_patch_is_one_block_to_its_end(look):
    patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n a\n\n+b"
    assert written(f"Fix it.\n---\n{patch}\n", look) == f"<p>Fix it.<br/>---</p>{code(patch)}"
