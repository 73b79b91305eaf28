// Package httpforward performs calls over HTTP/1.1 and HTTP/2: it is the guard.Forwarder for upstreams with a URL.
//
// # At most one request
//
// The client of net/http repeats a request behind its caller's back: when a kept connection dies, when a request
// carries an Idempotency-Key, when HTTP/2 refuses a stream, when the answer is a redirect. All of that lives above
// the single connection. This package therefore takes one connection (http.ClientConn, Go 1.26), makes one round
// trip on it, and is done. There is no code here that could send again, and nothing to switch off.
//
// # What may have left
//
// A wire lies under TLS and HTTP and counts the bytes that the kernel took. Before the first byte every failure
// (name, address, dial, TLS, a request that cannot be built, a caller that gave up) is Failed with CodeNotSent;
// after it only a complete answer proves anything. The count is read after the socket was closed, so that
// no straggling write can follow it.
//
// # Fresh connections
//
// By default every attempt has a connection of its own. A kept HTTP/1.1 connection has two defects that no
// check can remove: the server may be closing it while the request is under way, which turns a plain
// call into an unknown one; and an answer is matched to its request by order alone, so that an upstream that
// answers twice, or that takes the body of one call for a second request ("CL.0 desync"), hands the next
// caller, maybe of another tenant, an answer that is not its own. The guard promises that nobody sees the
// result of another tenant.
//
// Attempt.Reuse trades that for speed with upstreams that one trusts to frame their messages. A connection is then
// kept for that long, and used again only by attempts that allow it and if it is proven alive: net/http has seen no error and no
// unasked byte on it, it has been idle for less than half of what a Keep-Alive header of the server allows, and the kernel,
// asked without blocking, holds neither data nor an end of stream for it. If the server closes it in the remaining
// instant the outcome is unknown, never a second request. Of an upstream that sends more than was asked, net/http writes the
// first bytes to the standard logger of package log.
//
// A connection serves one attempt at a time in either protocol, so that one loss makes one effect unknown.
//
// BenchmarkSend measures both: over loopback a fresh connection costs between two and three times a reused one (for
// 16 callers on two cores some 110 µs for each call against 50, the server's share included).
// Over a real network a fresh connection costs one round trip, and one more for TLS 1.3.
//
// # Where a call may go
//
// URLs come from the policy. The scheme is http or https, user information is refused, the environment's proxies are
// not used and redirects are answers, not orders. What a name resolves to is judged at the moment of the
// connection (package egress), so that a name which changes its address gains nothing.
//
// # What an answer proves
//
//	2xx, and a complete answer                       Done     upstream_done
//	400 401 403 404 405 409 410 413 415 422 429,
//	    and a complete answer                        Failed   upstream_refused
//	any other status, and a complete answer          Unknown  upstream_status
//	over Options.MaxBody or MaxHeader                Unknown  upstream_oversize
//	truncated, malformed                             Unknown  upstream_garbled
//	no complete answer before the time is over       Unknown  upstream_timeout
//	connection lost without an answer                Unknown  upstream_lost
//	nothing was written                              Failed   not_sent
//
// An answer that is ended by closing the connection, without a length, cannot be told from a truncated one
// (RFC 9112, section 8). It is taken as complete, unless it claims to be JSON and is not.
//
// A policy may read more into a complete answer: Outcome carries its status, headers and body for that. Details of
// outcomes are fixed sentences: no text of the URL, the headers, the body or an error of a library gets into them.
package httpforward
