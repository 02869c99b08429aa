"""A verified-name certificate, built from the message layout alone: On-Premises reference, section 8.

The signature is made of random bytes and the issuer is one that no real certificate names, so it proves
nothing; a sandbox accepts it as a claim.
"""

import base64
import os
import time


def varint(value):
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def field(number, payload):
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def number_field(number, value):
    """A varint field."""
    return varint(number << 3) + varint(value)


def certificate(name):
    """Base64 of a certificate for `name`."""
    details = (
        number_field(1, int.from_bytes(os.urandom(6), "big") | 1 << 50)
        + field(2, b"ent:test")
        + field(4, name.encode())
        + number_field(10, int(time.time()))
    )
    verified_name = field(1, details) + field(3, os.urandom(63) + b"\x0f")
    return base64.b64encode(field(1, verified_name) + field(2, b"\x6d" + os.urandom(45))).decode()
