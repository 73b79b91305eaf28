package egress

import "net/netip"

// verdict says who may connect to an address.
type verdict int

const (
	anyone    verdict = iota
	inPrivate         // only policies that allow private addresses
	nobody
)

// never lists what no policy may reach: addresses that name no single host elsewhere, and those at which clouds
// hand out credentials to whoever is inside.
var never = prefixes(
	"0.0.0.0/8",              // this network, RFC 1122
	"169.254.0.0/16",         // link-local, and most clouds' metadata service
	"224.0.0.0/4",            // multicast
	"240.0.0.0/4",            // reserved, and broadcast
	"100.100.100.200/32",     // metadata: Alibaba Cloud
	"168.63.129.16/32",       // metadata: Azure
	"192.0.0.192/32",         // metadata: Oracle Cloud
	"::/128",                 // unspecified
	"fe80::/10",              // link-local
	"ff00::/8",               // multicast
	"fd00:ec2::254/128",      // metadata: AWS
	"fd20:ce::254/128",       // metadata: Google Cloud
	"fd00:c1::a9fe:a9fe/128", // metadata: Oracle Cloud
	"64:ff9b:1::/48",         // NAT64 for local use, RFC 8215: only the network knows where the inner address is
	"100::/64",               // discard, RFC 6666
)

// inside lists what belongs to the guard's own host or network, or to nobody on the Internet
// (the special-purpose registries of IANA, RFC 6890).
var inside = prefixes(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
	"100.64.0.0/10",          // carrier-grade NAT, RFC 6598
	"127.0.0.0/8", "::1/128", // loopback
	"192.0.0.0/24",                                      // protocol assignments, RFC 6890
	"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation, RFC 5737
	"192.88.99.0/24",             // 6to4 relays, RFC 7526
	"198.18.0.0/15",              // benchmarks, RFC 2544
	"fc00::/7",                   // unique local, RFC 4193
	"fec0::/10",                  // site-local, RFC 3879
	"2001:db8::/32", "3fff::/20", // documentation, RFC 3849 and RFC 9637
	"5f00::/16", // segment routing, RFC 9602
)

// judge says who may connect to a. Forms of IPv6 that hold an address of IPv4 are judged by that one, because it
// is where the packets go.
func judge(a netip.Addr) verdict {
	if !a.IsValid() {
		return nobody
	}
	a = inner(a.WithZone(""))
	switch {
	case within(never, a):
		return nobody
	case within(inside, a):
		return inPrivate
	}
	return anyone
}

// inner unwraps an address of IPv4 from an address of IPv6.
func inner(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.Is4() {
		return a
	}
	b := a.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case a.IsUnspecified() || a.IsLoopback():
		return a
	case within(compatible, a), within(translated, a), within(nat64, a):
		return at(12)
	case within(sixToFour, a):
		return at(2)
	case within(teredo, a): // the client's address is stored inverted
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})
	case !a.IsLinkLocalUnicast() && b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, RFC 5214
		return at(12)
	}
	return a
}

var (
	compatible = prefixes("::/96")           // IPv4-compatible, RFC 4291
	translated = prefixes("::ffff:0:0:0/96") // IPv4-translated, RFC 2765
	nat64      = prefixes("64:ff9b::/96")    // RFC 6052
	sixToFour  = prefixes("2002::/16")       // RFC 3056
	teredo     = prefixes("2001::/32")       // RFC 4380
)

func prefixes(text ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(text))
	for i, s := range text {
		list[i] = netip.MustParsePrefix(s)
	}
	return list
}

func within(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
