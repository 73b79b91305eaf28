// Package egress is the law of where the guard may connect to: which addresses everybody may reach, which only those that a policy
// allows private addresses ("network: private"), and which nobody.
//
// An address is judged when a socket is about to connect to it, after names are resolved (net.Dialer.ControlContext). So a name that
// changes its address between a check and the connection gains nothing.
package egress

import "net/netip"

// Refused says that a connection was not made because of its address. It holds nothing of the address.
type Refused struct {
	NeedsPrivate bool // a policy that allows private addresses could reach it
}

func (e Refused) Error() string {
	if e.NeedsPrivate {
		return "the address is private and the policy does not allow private addresses"
	}
	return "no policy may reach this address"
}

// Check judges an address with a port, as net.Dialer.ControlContext gets it. private tells whether private and loopback addresses
// are allowed. The error is a Refused.
func Check(address string, private bool) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return Refused{}
	}
	switch v := judge(to.Addr()); {
	case v == anyone, v == inPrivate && private:
		return nil
	default:
		return Refused{NeedsPrivate: v == inPrivate}
	}
}
