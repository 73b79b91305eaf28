// Package httpnotify posts notices of reviews over HTTP: it is the guard.Notifier of endpoints with a URL.
//
// # What is posted
//
// To an endpoint of kind standard-webhooks a JSON document, with the headers webhook-id, webhook-timestamp and webhook-signature of
// https://www.standardwebhooks.com, version 1.0.0:
//
//	{"type": "review.opened",
//	 "timestamp": "2026-01-31T09:30:00.123456Z",      when the review was opened
//	 "data": {"review": "rv_…", "effect": "ef_…", "tenant": "default", "tool": "payments.refund", "state": "held",
//	          "code": "held",                         why a person is needed
//	          "why": "A rule of the policy wants a person to decide on this call. Refunds above 500 need a person.",
//	          "expires_at": "2026-02-03T09:30:00Z",   left out where no time ends it
//	          "review_url": "https://guard.example.com/review/rv_…",   left out where the server has no --url
//	          "arguments": {"amount": 800}}}          those that the endpoint lists, by their paths
//
// The id is the same whenever the same review is told to the same endpoint, so that a receiver knows a message that comes twice.
//
// To an endpoint of kind slack the same in words, as Slack's incoming webhooks take it. The name of the tool and the values of
// arguments come from agents: they stand there as code, in which no link, mention or markup is recognised, and with the three characters
// replaced that Slack reads as control characters.
//
// # Where it is posted
//
// The address is the policy's. What its name resolves to is judged at the moment of the connection (package egress), the
// environment's proxies are not used, and a redirect is a failure. Each attempt has a connection of its own and makes one request;
// of the answer only the status counts, and its body is not read.
//
//	2xx             delivered
//	410             not delivered, and the endpoint wants no more
//	anything else   not delivered; of 429 and 503 a Retry-After is heeded
//
// No error or log holds the address, the secret, or text of an answer.
package httpnotify
