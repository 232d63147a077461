package reference

import "net/netip"

// ipAddress tells whether an address lies in a range. Both are parsed, so that spelling does not matter; an IPv4 address inside
// IPv6 is the IPv4 address; ranges of one family hold no addresses of the other (iam.md C12).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress
func ipAddress(got string, want operand) truth {
	address, err := netip.ParseAddr(got)
	if err != nil {
		return unknown
	}
	network, ok := readNetwork(plain(want.pieces))
	if !ok {
		return unknown
	}
	return truthOf(network.Contains(address.Unmap().WithZone("")))
}

// readNetwork reads a CIDR range, or an address, which is a range of one.
func readNetwork(text string) (netip.Prefix, bool) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return netip.Prefix{}, false
		}
		network = netip.PrefixFrom(address, address.BitLen())
	}
	const mapped = 96 // bits before the IPv4 address in ::ffff:0:0/96
	if network.Addr().Is4In6() && network.Bits() >= mapped {
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-mapped)
	}
	return network, true
}
