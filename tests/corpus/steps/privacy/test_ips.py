"""IP addresses."""

from __future__ import annotations

import pytest

from lstmlm.corpus.steps.privacy.fold import fold
from lstmlm.corpus.steps.privacy.kinds.ips import find_ips


def found(text: str) -> list[str]:
    folded = fold(text)
    return [text[span.start : span.end] for span in map(folded.original, find_ips(folded.text))]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("It came from 203.0.113.77.", "203.0.113.77"),
        ("http://192.168.0.1:8080/x", "192.168.0.1"),
        ("(10.0.0.0/8)", "10.0.0.0"),
        ("the host 8.8.8.8 answers", "8.8.8.8"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:0db8:85a3:0000:0000:8a2e:0370:7334 is up", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
        ("from ::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("Of 2001:db8::7: a note", "2001:db8::7"),
        ("address ::1", "::1"),
        ("host 192.168.001.010 is up", "192.168.001.010"),
        ("010.001.002.003", "010.001.002.003"),
        ("pool 192.0.2.1-9 of it", "192.0.2.1"),
        ("inet addr:192.168.1.5  Bcast", "192.168.1.5"),
        ("ip=192.0.2.7", "192.0.2.7"),
        ("from /192.0.2.7:51234", "192.0.2.7"),
        ("localhost/10.0.0.1:8020", "10.0.0.1"),
        ("IP 192.168.1.2.51423 > x", "192.168.1.2"),
        ("77.113.0.203.in-addr.arpa", "77.113.0.203"),
        ("来自192.168.1.1的请求", "192.168.1.1"),
        ("ＩＰ １９２．１６８．１．１０", "１９２．１６８．１．１０"),
        ("عنوان ١٩٢.١٦٨.١.١٠", "١٩٢.١٦٨.١.١٠"),
        ("::ffff:192.168.001.010", "::ffff:192.168.001.010"),
        ("fe80::/10 is local", "fe80::"),
        ("2001:db8::/32", "2001:db8::"),
        ("listens on [::1]:8080", "::1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::192.0.2.33"),
        ("2001:db8::1.443 > x", "2001:db8::1"),
        ("see access_203.0.113.77.log", "203.0.113.77"),
        ("backup_192.168.1.2_old", "192.168.1.2"),
        ("IP 192.168.1.20.51423 > x", "192.168.1.20"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert found(text) == [address]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("scan 192.0.2.1-192.0.2.9 done", ["192.0.2.1", "192.0.2.9"]),
        ("scan 192.0.2.1 – 192.0.2.9 done", ["192.0.2.1", "192.0.2.9"]),
        ("192.0.2.1–192.0.2.9", ["192.0.2.1", "192.0.2.9"]),
        ("8.8.4.4-8.8.8.8", ["8.8.4.4", "8.8.8.8"]),
        ("10.0.0.1:80-10.0.0.9:80", ["10.0.0.1", "10.0.0.9"]),
        ("10.0.0.1..10.0.0.9", ["10.0.0.1", "10.0.0.9"]),
        ("2001:db8::1-2001:db8::ff", ["2001:db8::1", "2001:db8::ff"]),
        ("192.0.2.1,192.0.2.2;192.0.2.3", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    ],
)
def test_ranges_and_lists(text: str, ends: list[str]) -> None:
    assert found(text) == ends


@pytest.mark.parametrize(
    "text",
    [
        "version 10.0.19.41",
        "v1.12.13.14",
        "release 7.10.15.2",
        "see section 3.12.1.4",
        "1.2.3.4 is a version",
        "256.1.1.1",
        "01.02.03.04",
        "1.22.33.44.55",
        "10.22.33.x",
        "at 12:30:45",
        "00:1a:2b:3c:4d:5e",
        "std::vector<int>",
        "x[1::2] and y[::1]",
        "a::b",
        "Chrome/120.0.6099.109",
        "nginx/1.22.33.44",
        "numpy==1.22.33.44",
        "numpy>=1.22.33.44",
        "version=10.0.0.12",
        "libfoo 1.18.10.12-1 all",
        "1:1.18.10.12-1",
        "1:2:3:4:5:6:7:8",
        "192.168.1.256",
        "OID 1.3.6.1.4.1.311",
    ],
)
def test_not_addresses(text: str) -> None:
    assert found(text) == []
