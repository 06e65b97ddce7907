"""Personal data in text: found by form and check digits, replaced by placeholders or keyed pseudonyms.

What has a form of its own is looked for: addresses of mail and network, numbers of phones, cards, accounts and people,
and credentials in URLs. Names and postal addresses have none; `presidio` hands them to Microsoft Presidio where it is
installed, and nothing here claims to find them otherwise.
"""
