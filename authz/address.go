package authz

import (
	"encoding/binary"
	"net/netip"
)

// The operators of IP addresses (iam.md C12).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress

// address is an IP address. An IPv4 address inside IPv6 is the IPv4 address; zones do not count.
type address struct {
	high, low uint64
	version   uint8 // 4 or 6; 0: the text was no address
}

// network is a range of addresses.
type network struct {
	address
	highMask, lowMask uint64
}

// holds tells whether an address lies in the range. Ranges of one version hold no addresses of the other. It is unknown when one of
// the two could not be read.
func (n *network) holds(a *address) truth {
	if n.version == 0 || a.version == 0 {
		return unknown
	}
	return truthOf(n.version == a.version && (n.high^a.high)&n.highMask == 0 && (n.low^a.low)&n.lowMask == 0)
}

func readAddress(text string) address {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return address{}
	}
	return addressOf(a.Unmap())
}

func addressOf(a netip.Addr) address {
	b := a.As16()
	out := address{high: binary.BigEndian.Uint64(b[:8]), low: binary.BigEndian.Uint64(b[8:]), version: 6}
	if a.Is4() {
		out.version = 4
	}
	return out
}

// readNetwork reads a CIDR range, or an address, which is a range of one.
func readNetwork(text string) network {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return network{}
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	const mapped = 96 // bits before the IPv4 address in ::ffff:0:0/96, and in the form of an address
	a, bits := p.Addr(), p.Bits()
	switch {
	case a.Is4():
		bits += mapped
	case bits >= mapped:
		a = a.Unmap()
	}
	return network{address: addressOf(a), highMask: ^uint64(0) << max(64-bits, 0), lowMask: ^uint64(0) << (128 - bits)}
}
