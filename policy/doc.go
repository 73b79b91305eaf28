// Package policy holds what people write about tools: one YAML rule for each, read strictly, compiled once and
// replaced as a whole when the files change. It says what is allowed and how calls are compared. It decides nothing
// about effects (package guard does) and sends nothing.
//
// # The way of a file
//
//	*.yaml ─parseYAML─> document ─layers─> toolDoc ─compile─> Rule ─newSet─> Set ─Watch─> Source
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
//     says why. It reads only the files that have changed, and compiles only their tools unless defaults, groups or endpoints have.
//   - Match never fails. A tool that no policy names has a rule, too, and its calls are guarded unless a person chose otherwise.
//   - A condition that cannot be evaluated (a missing argument, another type, too much work) holds the call. An outcome override
//     that cannot be evaluated, or that another one contradicts, says unknown. Neither ever lets something pass.
//   - Arguments choose parts of a path or query, never the host, a header or another path: they are percent-encoded, and a
//     path that could be read as climbing is refused.
//   - Values of headers, of the environment and of arguments are in no error, verdict, violation, line, log or digest. The places
//     that have them are the Request that Render makes, and Endpoint.URL and Endpoint.Secret.
//   - Nothing is fetched. A JSON Schema refers only to itself.
//   - Bad input, be it a file or a call, never panics, and costs work in proportion to its size.
//
// # The language, version 1
//
// A file is one YAML mapping without anchors, merge keys and tags. Durations are Go durations that weeks and days may
// lead: "90s", "72h", "3d", "1w12h".
//
//	version: 1
//	defaults:                  # for every tool of the set; see "Inheritance"
//	  unknown_tools: guard     # guard | deny | pass
//	  window: 24h
//	groups:                    # for several tools; see "Inheritance"
//	  - apply_to: ["payments.*"]
//	    share: tenant
//	tools:
//	  - name: payments.refund  # exact, or a glob in which * stands for any characters
//	    effect: refund         # default: the tool's name
//	    kind: write            # write | read; a read tool has only an upstream, a schema and annotations
//	    mode: enforce          # enforce | warn | off; see Mode
//	    annotations: {destructiveHint: true}   # what conditions see; see Annotations
//	    upstream:              # default: the caller runs the tool
//	      http:
//	        url: "https://pay.internal/v1/orders/{order_id}/refunds"
//	        method: POST       # GET | POST | PUT | PATCH | DELETE
//	        timeout: 30s
//	        reuse: 10s         # keep connections that long for other calls; default: each call has its own
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
//	    rules:                 # see "Conditions"; the first that matches decides; none: allow
//	      - {if: "norm.amount > 500", then: hold, why: "Refunds above 500 need a person."}
//	    limits:                # see "Limits"
//	      - {count: 5, per: 1h, by: [agent], then: hold}
//	      - {sum: args.amount, max: 1000, per: 24h, by: [subject], then: deny}
//	    approvals:             # who may decide on a held call; see Approvals
//	      roles: [admin]       # reviewer | admin; default: both
//	      when: "reviewer.subject.startsWith('finance-')"   # a condition that sees reviewer.subject and reviewer.roles as well
//	      people: 2            # so many different people; default: 1
//	      expires: 24h         # in place of hold; a hold of the tool's own goes before an inherited expires
//	      notify: [finance]    # endpoints
//	    redact: [card.number]  # paths of arguments whose values nobody may see; see Rule.Redact
//	    seal: ["items.*.note"] # the same, and the whole effect is kept encrypted; see Rule.Seal
//	    done_when: "status == 200 && body.state == 'ok'"   # and failed_when, partial_when, unknown_when;
//	                                                   # a 2xx that none of them matches is then unknown
//	notify:                    # endpoints by name, for all files of the set; see Endpoint
//	  finance:
//	    kind: standard-webhooks   # standard-webhooks | slack
//	    url: "https://hooks.internal/held"
//	    secret: "${env:HOOK_SECRET}"
//	    arguments: [order_id]  # whose values may be told; default: none
//	    network: public
//
// "${env:NAME}" is resolved in url, headers and secret when the file is loaded; a variable that is unset or empty is a defect.
// LanguageSchema is the same as a JSON Schema for editors.
//
// # Inheritance
//
// A tool is what is said of it in this order, and of each key the last word counts: the language itself, "defaults", the groups
// that apply to it in the order of the files' names and of their places there, its own entry. The mappings on, near, arguments,
// approvals, annotations, upstream, upstream.http and its headers are joined key by key; any other value, such as a list, a
// schema or the declaration of one argument, is replaced as a whole. Rule.Lines tells where each line was written.
//
// Defaults also hold for tools that no policy names; a setting can be made in the defaults of one file only. They have the keys
// that make sense for any tool: not name, effect, kind, annotations, upstream, schema, resource and idempotent.
//
// A group has all keys of a tool but its name, and adds to the tools under "tools" that one of its globs is for; it makes no tool
// known. A group for only some of the tools of a glob is a defect, unless those have an entry of their own, and so is one that is for
// no tool.
//
// What is inherited is about many tools, and so it never makes a tool defective by not fitting: a read tool takes what it can use, a
// tool whose closed schema lacks an argument does without its declaration, and a common header makes no upstream. Inherited
// declarations of arguments add to the inference of a tool that declares none itself.
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
// Conditions are CEL (https://cel.dev) with the standard library and its strings extension. "rules" see
//
//	args                  the arguments, a map
//	norm                  the arguments as they are compared: norm.NAME is a number for the kinds money, number and percent, so that
//	                      "600" and 600.00 are 600, else the text of the normal form; missing where the kind cannot read the value
//	tool, tenant, subject, agent, run   strings
//	labels                a map of strings
//	now                   a timestamp
//	annotations           title, readOnlyHint, destructiveHint, idempotentHint, openWorldHint
//	history               of earlier effects on the same thing: count (an int), and last (a timestamp); see History
//
// The overrides of outcomes see status (an int), headers (a map of lower-case names to strings), body (the answer's JSON, or
// its text where it is not strictly JSON) and args. A number that is whole and fits is an int however it is spelled, another a
// double; the two compare with each other, but arithmetic on both needs double(…). An argument that may be missing is
// asked for by has(args.x).
//
// Where a tool has a schema, its own conditions are held against it when they are loaded: an argument or member that the schema does
// not name, and a comparison that its types make senseless, are defects. An object that says "additionalProperties: true", or a schema
// of them, may have any member; so may an argument that is written args['NAME'], which is not checked.
//
// # Limits
//
// A limit says how many calls may be sent in the period that ends now (count), or what an argument of theirs may add up to (sum, max):
// a number, or an amount of money in any spelling that its kind reads. Without currency each currency has a sum of its own.
// by tells whose calls are counted together: tenant, subject, agent, run, tool, effect (the effect type), identity (the thing acted
// on), "label:NAME"; without it all calls of the tenant. A limit that a tool says itself counts the calls of that tool, or of all tools
// of its glob; an inherited one those of all tools that inherit it. A call whose amount cannot be read, or is in no known currency, is
// held. A tool has at most 8 limits, each over at most 31 days.
//
// # Which rule a tool has
//
// The rule with exactly its name; else the glob with the most literal characters; of those the one with the longest
// literal prefix; of those the first by name; else the rule for unknown tools.
//
// # Policies that are kept elsewhere
//
// A ledger can keep policies beside the files (Set.Overlay). Each is a file that holds one tool, for which the defaults, groups and
// endpoints of the files hold; a pattern that a file defines is the file's. It may only use variables of the environment whose
// names begin with POLICY_, because its author need have no hold on the machine. One that cannot be loaded never makes the set defective.
package policy
