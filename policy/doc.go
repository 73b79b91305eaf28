// Package policy holds what people write about tools: one YAML rule for each, read strictly, compiled once and
// replaced as a whole when the files change. It says what is allowed and how calls are compared. It decides nothing
// about effects (package guard does) and sends nothing.
//
// # The way of a file
//
//	*.yaml ─parseYAML─> document ─compile─> Rule ─newSet─> Set ─Watch─> Source
//
// # The way of a call
//
//	Source.Current ─> Set.Match(tool) ─> Rule.Validate ─> Rule.Check ─> Upstream.HTTP.Render ─> Rule.Classify
//
// # What is guaranteed
//
//   - A set is either wholly good or not used. Every defect of every file is reported at once, each with file, line, column, what
//     is wrong and what to do. Nothing is ignored in silence: an unknown key, a key of a later version of the language, and
//     a key without effect on its tool are defects.
//   - A Set and its Rules are immutable. A reload is one atomic exchange; a bad reload keeps the good set and Source.LastError
//     says why.
//   - Match never fails. A tool that no policy names has a rule, too, and its calls are guarded unless a person chose otherwise.
//   - A condition that cannot be evaluated (a missing argument, another type, too much work) holds the call. An outcome override
//     that cannot be evaluated, or that another one contradicts, says unknown. Neither ever lets something pass.
//   - Arguments choose parts of a path or query, never the host, a header or another path: they are percent-encoded, and a
//     path that could be read as climbing is refused.
//   - Values of headers, of the environment and of arguments are in no error, verdict, violation, log or digest. The one place
//     that has them is the Request that Render makes.
//   - Nothing is fetched. A JSON Schema refers only to itself.
//   - Bad input, be it a file or a call, never panics, and costs work in proportion to its size.
//
// # The language, version 1
//
// A file is one YAML mapping without anchors, merge keys and tags. Durations are Go durations that weeks and days may
// lead: "90s", "72h", "3d", "1w12h".
//
//	version: 1
//	defaults:                  # for all files of the set; a setting can be made in one file only
//	  unknown_tools: guard     # guard | deny | pass
//	  window: 24h              # and lease, hold, scope, on, near, share, keys, as in a tool
//	tools:
//	  - name: payments.refund  # exact, or a glob in which * stands for any characters
//	    effect: refund         # default: the tool's name
//	    kind: write            # write | read; a read tool has only an upstream and a schema
//	    upstream:              # default: the caller runs the tool
//	      http:
//	        url: "https://pay.internal/v1/orders/{order_id}/refunds"
//	        method: POST       # GET | POST | PUT | PATCH | DELETE
//	        timeout: 30s
//	        headers: {Authorization: "Bearer ${env:PAY_TOKEN}"}
//	        idempotency_header: Idempotency-Key
//	        body: [amount]     # default: the argument text as it came; []: no body
//	        network: public    # public | private (loopback and private addresses as well)
//	    schema: {…}            # JSON Schema, draft 2020-12 unless $schema says otherwise
//	    arguments:             # see "Arguments" below
//	      order_id: {role: identity, kind: id}
//	      amount: {kind: money, currency: EUR}
//	    scope: [run]           # run, agent, subject, "label:NAME", or tenant alone; default: the run, else the subject
//	    window: 24h            # how long a settled effect answers for equal calls
//	    lease: 5m              # how long a caller that runs the tool is trusted without a heartbeat
//	    hold: 24h              # how long a held call waits for a person
//	    resource: "order:{order_id}"   # see "Resources"
//	    occurrence: installment_no     # see "Occurrences"
//	    on: {done: replay}     # what a second, equal call gets, by the state of the first; see On
//	    near: {same: 0.9, near: 0.4, opposites: [[buy, sell]]}   # see "Wording"
//	    share: subject         # subject | tenant: who may see a replayed result
//	    keys: hint             # hint | trusted: whether a new idempotency key makes a new effect
//	    idempotent: false      # the upstream performs one idempotency key at most once
//	    attempts: 3            # most attempts for one effect; default: no limit, 3 with on.unknown: retry
//	    rules:                 # the first that matches decides; none: allow
//	      - {if: "double(args.amount) > 500.0", then: hold, why: "Refunds above 500 need a person."}
//	    done_when: "status == 200 && body.state == 'ok'"   # and failed_when, partial_when, unknown_when;
//	                                                   # a 2xx that none of them matches is then unknown
//
// "${env:NAME}" is resolved in url and headers when the file is loaded; a variable that is unset or empty is a defect.
//
// # Arguments
//
// What "arguments" does not declare is material and exact. Of each argument it says
//
//	order_id:
//	  role: identity           # identity | material (the default) | commentary | volatile
//	  kind: id                 # see fingerprint.KindNames; list, set and map of a kind; the default is exact
//	  as: order                # common name, under which tools with one effect type compare it; the default is its own
//	  default: 1               # an absent argument equals this value
//	  null_is_absent: true     # null equals an absent argument
//
// and, with the kind in brackets, currency and minor (money), aliases (enum), zone and round (datetime), region (phone),
// providers (email), and fields (object, and lists, sets and maps of it): a mapping of the same form, without "as", for the
// members of an object. What the options mean is said at fingerprint.Argument. "fields" without a kind means object.
//
//	flights:
//	  kind: list
//	  fields:
//	    number: {kind: id}
//	    date: {kind: date}
//	    price: {role: volatile}
//
// Tools of one effect type share an effect only where they declare the same arguments that decide, by their common names, with
// the same roles and kinds, and with the same scope. Options may differ: 2500 with minor: true and 25.00 without are one
// amount, while what neither can read stays apart; only round must be the same. on.same_identity sees the thing acted on from both sides all the same.
//
// A default that the schema declares for an argument counts in its comparison, unless "arguments" gives another.
//
// A tool whose policy has no key "arguments", and one that no policy names (unknown_tools: guard), is compared as package
// fingerprint infers it from the names and values of arguments and, where there is a schema, from that (Infer). A policy that
// has the key is what it says and no more: "arguments: {}" compares everything exactly.
//
// # Wording
//
// Material arguments of kind text, markdown or html are compared by wording among calls that are equal otherwise. From the
// score near.same on two wordings are the same, from near.near on they are alike and "on.near" decides; both are above 0 and up
// to 1. Two texts of which one says one word of a group of "opposites", and the other another, are different whatever their
// score; the groups of a tool stand in place of those of the defaults, and both beside the built-in ones.
//
// # Resources
//
// "resource" names what the effects of several tools act on in turn, so that a done effect stops answering once another one
// was done on the same resource. It is a text in which {NAME} stands for the normal form of an argument, or a list of such
// texts that name one resource together. Tools share a resource when the texts around the variables are the same, and the
// arguments, of whatever name, have the same kind and value. A call that lacks one of the arguments acts on no resource.
//
// # Occurrences
//
// "occurrence" says how a call tells that it is one more of the same and no repeat. It is the name of an argument, which is
// then part of the comparison (and of kind id where nothing declares it); or "label:NAME", a label of the call; or {caller: 3}:
// callers may declare themselves which one they mean, up to that number, from 2 to 1000.
//
// # Conditions
//
// Conditions are CEL (https://cel.dev) with the standard library and its strings extension. "rules" see args (a map),
// tool, tenant, subject, agent and run (strings), labels (a map of strings) and now (a timestamp). The overrides of
// outcomes see status (an int), headers (a map of lower-case names to strings), body (the answer's JSON, or its text
// where it is not strictly JSON) and args. A number that is whole and fits is an int however it is spelled, another a
// double; the two compare with each other, but arithmetic on both needs double(…). An argument that may be missing is
// asked for by has(args.x). One that a closed schema (additionalProperties: false) does not have is a defect.
//
// # Which rule a tool has
//
// The rule with exactly its name; else the glob with the most literal characters; of those the one with the longest
// literal prefix; of those the first by name; else the rule for unknown tools.
package policy
