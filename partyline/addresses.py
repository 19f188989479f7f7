"""Where a server may connect to when somebody else names the place: the open internet, and nothing inside."""

import fnmatch
import ipaddress

# What answers inside of clouds, although ipaddress takes it for a part of the internet.
INSIDE = (ipaddress.ip_network("168.63.129.16/32"), ipaddress.ip_network("192.0.0.0/24"))
# IPv6 addresses that are another name of an IPv4 address, which is in the last four bytes.
NAT64, COMPATIBLE = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96")


def is_public(address):
    """Whether an IP address is neither private, loopback, link-local, multicast nor a cloud's metadata, also where
    it is an IPv4 address that was written as an IPv6 one."""
    address = ipaddress.ip_address(address.partition("%")[0])
    if inner := inside_of(address):
        return is_public(str(inner))
    inside = any(address in network for network in INSIDE)
    return address.is_global and not address.is_multicast and not inside


def is_among(patterns, host, port):
    """Whether one of the patterns of a setting stands for the host: a name or an address, with a port or not, * for anything."""
    names = (host.lower(), f"{host.lower()}:{port}")
    wanted = [pattern.strip().lower() for pattern in patterns]
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in wanted)


def inside_of(address):
    if address.version == 4:
        return None
    if address in NAT64 or address in COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
