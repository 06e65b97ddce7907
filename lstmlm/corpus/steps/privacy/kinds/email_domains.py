"""Finds the end of the domain of an e-mail address, in any script."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmlm.corpus.steps.privacy.kinds.scripts import LATIN, MARKS

_LONGEST = 254  # RFC 5321

_LATIN_LABEL = re.compile(rf"[{LATIN}0-9]+(?:-+[{LATIN}0-9]+)*")
_OTHER_LABEL = re.compile(rf"(?:[^\W\d_{LATIN}]|[{MARKS}])(?:[^\W_{LATIN}]|[{MARKS}]|-)*")
_MIXED_LABEL = re.compile(rf"[^\W_](?:[\w\-]|[{MARKS}])*")
_TOP = re.compile(r"xn--[A-Za-z0-9\-]{2,59}|[A-Za-z]{2,24}(?![A-Za-z])")

# Between two labels: a dot as written, or as people spell it; where there is none, the full stop of a Chinese keyboard.
_DOT = re.compile(r"\.| ?(?:\[ ?dot ?\]|\( ?dot ?\)|\{ ?dot ?\}) ?", re.IGNORECASE)
_ONLY_DOT = re.compile(r"\u3002(?=[A-Za-z]{2,6}(?![A-Za-z0-9.]))")
_LITERAL = re.compile(r"\[(?:IPv6:)?[0-9A-Fa-f:.]{3,45}\]", re.IGNORECASE)

# Domains of the highest level in other scripts that follow a name in Latin letters, or are followed by a word.
_KNOWN_NAMES = """
    组织机构 我爱你 中文网 新加坡 中国 中國 香港 台湾 台灣 澳门 澳門 公司 网络 網絡 网址 网站 在线
    商城 商店 商标 集团 游戏 娱乐 世界 企业 信息 健康 公益 时尚 手机 政务 政府 机构 慈善 广东 佛山
    网店 招聘 食品 餐厅 酒店 家電 移动 购物 新闻 联盟 广告 日本
    コム みんな セール ファッション ストア ポイント クラウド ไทย คอม ລາວ 한국 닷컴 닷넷
    рф москва дети онлайн сайт орг ком рус бел укр мкд срб бг қаз мон ευ ελ भारत संगठन कॉम नेट
    بازار شبكة موقع مصر السعودية امارات ایران پاکستان קום ישראל
"""
_KNOWN = re.compile("|".join(_KNOWN_NAMES.split()))


def domain_end(text: str, start: int) -> int | None:
    """Returns where the domain that begins at a character ends; None where there is none with a name of a top level."""
    literal = _LITERAL.match(text, start, start + _LONGEST)
    if literal:
        return literal.end()
    end: int | None = None
    before: re.Match[str] | None = None
    for label in _labels(text, start):
        if before is not None:
            end = _top_level_end(text, before, label) or end
        before = label
    return end


def _labels(text: str, start: int) -> Iterator[re.Match[str]]:
    """Yields the labels of a domain, each in letters of one script where that is possible."""
    limit = min(len(text), start + _LONGEST)
    first = start
    while True:
        label = _LATIN_LABEL.match(text, start, limit) or _OTHER_LABEL.match(text, start, limit)
        if label is None:
            return
        dot = _DOT.match(text, label.end(), limit)
        if dot is None and start == first:
            dot = _ONLY_DOT.match(text, label.end())
        if dot is None:
            mixed = _MIXED_LABEL.match(text, start, limit)
            dot = _DOT.match(text, mixed.end(), limit) if mixed else None
            if dot is None or mixed is None or not _TOP.match(text, dot.end(), limit):
                yield label
                return
            yield mixed
        else:
            yield label
        start = dot.end()


def _top_level_end(text: str, before: re.Match[str], label: re.Match[str]) -> int | None:
    """Returns where the name of the top level ends that a label is, or begins with."""
    top = _TOP.match(text, label.start(), label.end())
    if top:
        # `example.com2024` is the domain and a number; `1.2.rc1` is a version.
        follows = text[top.end() : top.end() + 1]
        return None if follows.isdigit() and not any(map(str.isalpha, before[0])) else top.end()
    known = _KNOWN.match(text, label.start(), label.end())
    if known:
        return known.end()
    is_latin = _LATIN_LABEL.fullmatch(before[0]) or _LATIN_LABEL.match(label[0])
    return label.end() if not is_latin and len(label[0]) >= 2 else None
