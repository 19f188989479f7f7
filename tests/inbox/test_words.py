"""What strangers write and how they write it: drawn with its styles, and never markup."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.words import drawn

TEXTS = st.text(st.sampled_from("ab <>&\"'\n\r;/:.@!é🙌\u200d\u0301")) | st.sampled_from(
    ["see https://a.example/b?c=1&d=2 now", "mail me@a.example", "&lt;b&gt; www.a.example.", "a\r\nb", ""]
)
RANGES = st.one_of(
    st.lists(st.integers(-2, 40), min_size=2, max_size=2),
    st.sampled_from([None, [], [1], [1, 2, 3], ["0", "1"], [True, 2], {"a": 1}, "01", [0, 10**9]]),
)
TOLD = st.fixed_dictionaries(
    {},
    optional={
        "range": RANGES,
        "style": st.sampled_from(["bold", "italic", "underline", "strikethrough", "evil", None, 3, ["bold"]]),
        "animation": st.sampled_from(["shake", '"><script>', None, 7]),
        "handle": st.sampled_from(["+1415", '"onclick="x', None, 3]),
        "file_name": st.sampled_from(["a.png", "<img>", None]),
    },
)
EXTRAS = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(TOLD | st.sampled_from([None, 3, "x"]), max_size=5)
        | st.sampled_from([None, 3, "x", {}])
        for name in ("text_decorations", "inline_stickers", "mentions")
    },
)
ALLOWED = re.compile(
    r'</?[bius]>|<br>|</a>|</span>|<a href="[^"<>]*"(?: rel="nofollow")?>|<span class="(?:text-effect|mention)" title="[^"<>]*">'
)


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, extra=EXTRAS | st.sampled_from([None, [], "x", {"text_decorations": {"range": [0, 1]}}]))
def test_it_never_raises_never_lets_markup_through_and_says_the_same(text, extra):
    shown = str(drawn(text, extra))

    tags = re.findall(r"<[^>]*>", shown)
    assert all(ALLOWED.fullmatch(tag) for tag in tags)
    assert is_nested(tags)
    plain = html.unescape(re.sub(r"<[^>]*>", "", shown.replace("<br>", "\n"))).replace("\r", "\n")
    assert plain == text.replace("\r\n", "\n").replace("\r", "\n")


def is_nested(tags):
    open_tags = []
    for tag in tags:
        name = re.match(r"</?(\w+)", tag)[1]
        if tag.startswith("</"):
            if not open_tags or open_tags.pop() != name:
                return False
        elif name != "br":
            open_tags.append(name)
    return not open_tags


@pytest.mark.parametrize(
    ("text", "told", "shown"),
    [
        ("make it bold", {"range": [8, 12], "style": "bold"}, "make it <b>bold</b>"),
        # 🙌 takes two units.
        ("🙌 yes", {"range": [3, 6], "style": "italic"}, "🙌 <i>yes</i>"),
        ("🙌 yes", {"range": [1, 6], "style": "italic"}, "🙌 yes"),
        ("abc", {"range": [2, 9], "style": "bold"}, "abc"),
        ("abc", {"range": [2, 2], "style": "bold"}, "abc"),
        (
            "boo",
            {"range": [0, 3], "animation": "big"},
            '<span class="text-effect" title="Shown with “big” on an iPhone">boo</span>',
        ),
    ],
)
def test_a_range_is_in_utf_16_units_and_what_does_not_fit_is_left_out(text, told, shown):
    assert drawn(text, {"text_decorations": [told]}) == shown


def test_ranges_may_overlap():
    told = [{"range": [0, 4], "style": "bold"}, {"range": [2, 6], "style": "underline"}]
    assert drawn("abcdef", {"text_decorations": told}) == "<b>ab</b><b><u>cd</u></b><u>ef</u>"


def test_a_link_stays_a_link_under_a_style():
    told = [{"range": [4, 14], "style": "bold"}]
    assert drawn("see https://a.example!", {"text_decorations": told}) == (
        'see <a href="https://a.example" rel="nofollow"><b>https://a.</b>example</a>!'
    )


def test_a_mention_names_whom_it_means():
    told = [{"handle": "+14155550188", "is_me": False, "range": [3, 8]}]
    shown = drawn("Hi @Dora <3", {"mentions": told})
    assert shown == 'Hi <span class="mention" title="+14155550188">@Dora</span> &lt;3'
