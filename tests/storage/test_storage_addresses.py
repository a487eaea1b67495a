"""Which addresses may be read from, in every disguise in which they come."""

from __future__ import annotations

import pytest

from ffrtmp_ray.errors import InputRefused
from ffrtmp_ray.storage.addresses import Addresses, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - listens nowhere: it is refused
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%lo",
        "fec0::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001:0:7f00:1::",
    ],
)
def test_what_leads_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_what_leads_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("allowed", ["127.0.0.0/8", "127.0.0.1", "NAS.local.", "::/0,127.0.0.1"])
def test_private_hosts_are_allowed_by_name_address_and_network(allowed: str) -> None:
    Addresses(allowed.split(",")).check("nas.local", "127.0.0.1")


def test_what_is_not_named_stays_refused_and_says_how_to_allow_it() -> None:
    with pytest.raises(InputRefused) as caught:
        Addresses(["nas.local", "10.0.0.0/8"]).check("evil.example", "127.0.0.1")
    assert caught.value.message == "evil.example is 127.0.0.1, which is no public address"
    assert "FFRTMP_PRIVATE_HOSTS" in str(caught.value.remedy)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0177.0.0.1", "1.2.3", "::1::"])
def test_what_the_system_might_read_as_another_address_is_refused(host: str) -> None:
    with pytest.raises(InputRefused, match="is no address"):
        Addresses(["0.0.0.0/0"]).check_literal(host)


def test_names_are_left_to_whoever_resolves_them() -> None:
    Addresses().check_literal("localhost")
