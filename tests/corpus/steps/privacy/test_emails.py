"""E-mail addresses."""

from __future__ import annotations

import pytest

from lstmlm.corpus.steps.privacy.fold import fold, needs_fold
from lstmlm.corpus.steps.privacy.kinds.emails import find_emails, may_hold_emails


def found(text: str) -> list[str]:
    folded = fold(text)
    return [text[span.start : span.end] for span in map(folded.original, find_emails(folded.text))]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Write to ann.lee+news@mail.example.org.", "ann.lee+news@mail.example.org"),
        ("<ANN@EXAMPLE.COM>", "ANN@EXAMPLE.COM"),
        ("mailto:ann@example.org?subject=x", "ann@example.org"),
        ("'ann@example.org'", "ann@example.org"),
        ("_ann_b@example-site.co.uk,", "_ann_b@example-site.co.uk"),
        ("josé.müller@exämple.de", "josé.müller@exämple.de"),
        ("a@xn--exmple-cua.xn--p1ai", "a@xn--exmple-cua.xn--p1ai"),
        ("_ann@example.com_ in italics", "_ann@example.com"),
        ("- ann@example.com-", "ann@example.com"),
        ("o'brien@example.ie", "o'brien@example.ie"),
        ("see note: ann@example.com2 and more", "ann@example.com"),
        ('"ann lee"@example.org', '"ann lee"@example.org'),
        ("to bounces+ann=example.org@list.net", "bounces+ann=example.org@list.net"),
        ("root@[192.0.2.1] or", "root@[192.0.2.1]"),
        ("root@[IPv6:2001:db8::1]", "root@[IPv6:2001:db8::1]"),
        ("ann [at] example [dot] org", "ann [at] example [dot] org"),
        ("ann(at)mail.example.org!", "ann(at)mail.example.org"),
        ("?to=ann%40example.org&x=1", "ann%40example.org"),
        ("ann&#64;example.org", "ann&#64;example.org"),
        ("ann@sub_domain.example.org", "ann@sub_domain.example.org"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert found(text) == [address]
    assert may_hold_emails(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("请联系ann@example.com或者拨打我们", "ann@example.com"),
        ("请发到ann@example.com。谢谢", "ann@example.com"),
        ("请发到ann@example.com.请尽快", "ann@example.com"),
        ("请发到ann@example。com", "ann@example。com"),
        ("メールはtaro@example.jpまで", "taro@example.jp"),
        ("문의는ann@example.com으로", "ann@example.com"),
        ("ติดต่อann@example.comได้ที่นี่", "ann@example.com"),
        ("راسلناann@example.comاليوم", "ann@example.com"),
        ("लिखेंann@example.comपर", "ann@example.com"),
        ("пишите наivan@example.ruсегодня", "ivan@example.ru"),
        ("ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍへ", "ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
        ("邮箱ann＠example.com。", "ann＠example.com"),
        ("ann\u200b@exam\xadple.org.", "ann\u200b@exam\xadple.org"),
        ("jose\u0301@example.org", "jose\u0301@example.org"),
        ("用户@例子.广告", "用户@例子.广告"),
        ("二ノ宮@黒川.日本へ", "二ノ宮@黒川.日本"),
        ("अजय@डाटा.भारत पर", "अजय@डाटा.भारत"),
        ("иван@почта.рф, да", "иван@почта.рф"),
        ("δοκιμή@παράδειγμα.δοκιμή και", "δοκιμή@παράδειγμα.δοκιμή"),
        ("a@日本abc.jp", "a@日本abc.jp"),
    ],
)
def test_words_of_another_script_that_touch_it_stay(text: str, address: str) -> None:
    assert found(text) == [address]
    assert may_hold_emails(text) or needs_fold(text)


def test_several_in_one_text() -> None:
    assert found("ann@example.org, bob@example.com;c@example.net") == [
        "ann@example.org",
        "bob@example.com",
        "c@example.net",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a @ b",
        "@ann said",
        "ann@localhost",
        "icon@2x.png",
        "well @-@ known",
        "pkg@1.2.3",
        "pkg@1.2.rc1",
        "关注@微博",
        "meet (at) noon. Then",
        "ann at example.org",
        "foo.@x.org",
    ],
)
def test_not_addresses(text: str) -> None:
    assert found(text) == []
