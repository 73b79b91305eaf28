package guard

import (
	"net"
	"strings"
)

// DevTenant is the tenant of everybody on a server that runs without keys, which is for a developer's own machine.
const DevTenant = "dev"

// Developer is everybody on such a server.
func Developer() Principal {
	return Principal{Tenant: DevTenant, Subject: "dev", Role: RoleAdmin, SelfReview: true}
}

// LoopbackHost reports whether a host, with or without a port, names this machine. Such a server answers to no other name in a
// Host header, because a page of an attacker whose name was made to resolve to a loopback address (DNS rebinding) still sends its own.
func LoopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}
