"""Which addresses of the network inputs may be read from: public ones, and those that are allowed.

Pure: resolves no name. Whoever connects checks every address that it connects to.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from ffrtmp_ray.errors import InputRefused

_HOLDING_IPV4 = (IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))
"""IPv6 networks whose last 32 bits are an IPv4 address: IPv4-compatible (RFC 4291, 2.5.5.1) and
NAT64 (RFC 6052); Python knows the mapped, 6to4 and Teredo ones by itself."""
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
"""RFC 8215: leads wherever this network's translator says."""


class Addresses:
    """`private`: host names, addresses and networks (`10.1.0.0/16`) that may be read from although
    they are not public."""

    def __init__(self, private: Sequence[str] = ()) -> None:
        self._networks = []
        self._names = set()
        for each in private:
            try:
                self._networks.append(ip_network(each, strict=False))
            except ValueError:
                self._names.add(each.lower().rstrip("."))

    def check(self, host: str, address: str) -> None:
        """`address` is what `host` has resolved to; both are the same where the URL gives one.

        Raises InputRefused when nothing may be read from there.
        """
        if is_public(address) or self._is_allowed(host, address):
            return
        raise InputRefused(
            f"{host} is {address}, which is no public address"
            if host != address
            else f"{address} is no public address",
            where="input",
            remedy="to read from it all the same, name it in FFRTMP_PRIVATE_HOSTS",
        )

    def check_literal(self, host: str) -> None:
        """Check the host of a URL when it is an address and no name. Raises InputRefused.

        What only looks like one (`127.1`, `2130706433`) is refused: the system's own reading of it
        would be another than ours.
        """
        if not (":" in host or host.replace(".", "").isdigit()):
            return
        try:
            ip_address(host)
        except ValueError:
            raise InputRefused(
                f"{host} is no address", where="input", remedy="write it as 192.0.2.1"
            ) from None
        self.check(host, host)

    def _is_allowed(self, host: str, address: str) -> bool:
        if host.lower().rstrip(".") in self._names:
            return True
        parsed = ip_address(address)
        return any(parsed in network for network in self._networks)


def is_public(address: str) -> bool:
    """Whether an address is one of the internet at large. Raises ValueError for what is none."""
    return _is_public(ip_address(address))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _held(address)
        if inner is not None:
            return _is_public(inner)
        if address.teredo is not None or address.is_site_local or address in _LOCAL_NAT64:
            return False
    return address.is_global and not address.is_multicast


def _held(address: IPv6Address) -> IPv4Address | None:
    if any(address in network for network in _HOLDING_IPV4):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
