// Package api is the HTTP face of a guard. openapi.yaml is its contract, written by hand; a test holds routes,
// requests and answers against it in both directions. Package client has the JSON shapes and speaks them from Go.
//
// # The way of a request
//
//	around (around.go)     request id, panics, browsers of foreign origin, access log
//	adapt (adapter.go)     authenticate -> read -> decode strictly -> handler -> encode
//	problem.go             every error -> a problem document, the one place with status numbers
//
// A handler is a function from a principal and a request to a response. It knows nothing of HTTP but what its request
// took from headers (bind) and its response puts there (head).
//
// # What the package promises
//
// Every decision of the guard is answered with 200, also those that block: agents' HTTP clients throw on 4xx and repeat
// 409, 429 and 5xx blindly. Who wants the statuses of the Idempotency-Key draft sends "Prefer: handling=strict". Every other
// answer that is not 2xx is a problem document (RFC 9457) and means that nothing was decided.
//
// Who calls, and for which tenant, comes from the API key and from nothing else. A revoked key is refused after one second
// at most.
//
// A body is read whole before anything is decided, is at most 1 MiB large and 128 levels deep, and is refused for unknown or
// repeated names, bad UTF-8 and wrong types, with the JSON pointer of the place. Nothing that is refused reaches the ledger.
//
// Results travel as they came: numbers keep their digits and strings their escapes. Only white space between tokens
// is lost.
//
// The access log and the metrics hold no argument, no result, no header, no query and no path but the route's pattern.
package api
