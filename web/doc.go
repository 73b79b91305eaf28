// Package web is the dashboard: the pages on which people see what was blocked, decide on it, and write policies. It is
// served by the same program as the API, with no build step and no file of anybody else.
//
// # The way of a request
//
//	guarded (header.go)    security headers, browsers of foreign origin, foreign names of a development server
//	adapt (adapter.go)     admit (session.go) -> bind what the request says -> handler -> reply
//	page (page.go)         base layout + one template + one view struct; every page is rendered here
//	fail (failure.go)      every error -> a page, the one place with status numbers
//
// A handler is a function from a principal and a request to a reply: a page or a redirect. It asks the guard and makes a
// view, and knows nothing of HTML. A view holds plain strings; html/template escapes them, and no value of the types that
// switch escaping off (template.HTML and its like) exists in this package.
//
// # What the package promises
//
// Nobody decides without a session, and an agent's key never gets one. A session is a sealed cookie that names a
// credential; each request finds the credential again, so a revoked key ends its sessions within a second. Decisions are
// made by guard.Decide, which refuses those on a call of the person's own subject.
//
// A session sees one tenant, that of its credential, and no filter leads to another one: admins of the operators' tenant write
// policies for all, but see only their own tenant's effects.
//
// A decision is bound to what was shown: the digest of the arguments and the fence. One that is stale is refused, with what
// happened since.
//
// Everything works without JavaScript: all links are links, and all actions are forms. The script (assets/app.js) only
// renews what is shown when the ledger changes, tells times in the reader's zone and adds keys. It renews a page by reading
// the page's own address again and exchanging the elements that carry data-live, so that no string is ever parsed as HTML in
// the browser and the content security policy can forbid it (trusted-types 'none').
//
// What agents and upstreams wrote is hostile until proven otherwise. It is shown as text, isolated in direction, with the
// characters that cannot be seen written out as marked code points (visible.go), and cut at a length with a link to the rest.
//
// # The pages
//
//	/review, /review/{id}      what waits for a person, and one decision (queue.go, review.go, decide.go)
//	/effects, /effects/{id}    search, with all of it in the address, and all that is known of one effect (effects.go, effect.go)
//	/policies, /policies/{t}   what is in force and where it was written, a draft that is checked (draft.go), held against the last week's calls
//	                           (backtest.go) and saved (policyedit.go), two calls that are judged by it, or by what is in force (policy.go, trial.go)
//	/overview                  what was counted (tally.go says what counts as a repeat), health, and the switches (overview.go, switches.go)
//
// # Adding a page
//
// Write a handler and its view struct in a file of its own, a template of the view in templates/ (which defines "main"), and
// a line in Register.
package web
