package fingerprint

import "strings"

// guess is what a name tells of an argument.
type guess struct {
	declared
	why       string // a clause
	sure      bool
	prose     bool   // of a kind that compares wording
	ambiguous bool   // prose only where nothing beside it says otherwise
	material  *guess // the same in the role Material
}

// unnamed is the guess for names that say nothing.
var unnamed *guess

// guesses finds the guess by whole name, by last words and by first word.
var guesses struct{ whole, last, first map[string]*guess }

func newGuess(kind string, role Role, why string) *guess {
	k, err := ParseKind(kind)
	if err != nil {
		// The kinds named here are this package's own.
		panic("fingerprint: " + err.Error())
	}
	read, err := k.compile(&declared{Argument: Argument{Kind: k}})
	if err != nil {
		panic("fingerprint: " + err.Error())
	}
	g := &guess{why: why, sure: true}
	g.declared = declared{Argument: Argument{Role: role, Kind: k}, read: orAuto(read)}
	return g
}

// withMaterial completes a guess.
func (g *guess) withMaterial() *guess {
	m := *g
	m.material = &m
	g.material = g
	if g.Role == Identity {
		m.Role, m.why = Material, "what a thing is to become, by its name"
		g.material = &m
	}
	return g
}

// orAuto reads with read, and what that cannot read as a value of no known kind. It has no notes about the latter: a name
// is only a hint.
func orAuto(read reader) reader {
	return func(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
		if form, note, ok = read(dst, in, v); ok {
			return form, note, true
		}
		return readAuto(dst, in, v)
	}
}

// nested returns the reader for a member of an object.
func (g *guess) nested() reader {
	if g.prose || strings.Contains(g.Kind.String(), " of ") {
		return readAuto
	}
	return g.read
}

// hint is one row of the table of names. The words stand in lower case with _ between them, as guessOf folds names.
type hint struct {
	kind  string
	role  Role
	why   string
	whole string // names
	last  string // last words of names, and names
	first string // first words of names of several words
	set   func(*guess)
}

func prose(g *guess)      { g.prose = true }
func oftenProse(g *guess) { g.prose, g.ambiguous, g.sure = true, true, false }

// hints is in no order: guessOf looks for the whole name first, then for its last two words, its last word and its first
// word.
var hints = []hint{
	{kind: "exact", role: Volatile, why: "an idempotency key, by its name, and so new in every attempt",
		whole: "idempotency_key idempotency_token idempotence_key idempotent_key x_idempotency_key client_request_token x_request_id"},

	{kind: "exact", role: Material, why: "a secret, by its name, in which every character counts",
		last: "password passwd passphrase pwd pin otp passcode secret secrets token credential credentials " +
			"secret_text secret_value secret_message"},

	{kind: "id", role: Identity, why: "an identifier, by its name",
		whole: "key username user_name login handle owner repo repository org organization organisation project workspace team channel room " +
			"user account calendar board bucket table database namespace cluster host hostname domain branch sha ref queue topic " +
			"customer contact order ticket issue invoice chat thread thread_ts message_ts device service application app environment region zone",
		last: "id uuid guid key number no slug sku ref"},
	{kind: "list of id", role: Identity, why: "identifiers, by its name",
		last: "ids uuids guids keys"},
	{kind: "id", role: Identity, why: "what something is called, by its name", last: "name"},
	{kind: "auto", role: Material, why: "a part of a person's name, whose very spelling may be what is changed",
		whole: "first_name last_name middle_name given_name family_name full_name display_name surname nickname"},

	{kind: "auto", role: Identity, why: "whom or where it comes from or goes to, by its name",
		last: "recipient receiver payee beneficiary addressee", whole: "assignee sender from source target destination"},
	{kind: "set of auto", role: Identity, why: "whom it goes to, in any order, by its name", last: "recipients addressees", whole: "to"},
	{kind: "set of auto", role: Material, why: "a group in any order, by its name",
		last: "attendees participants invitees guests members reviewers assignees watchers followers collaborators labels tags", whole: "cc bcc cc_recipients bcc_recipients"},
	{kind: "email", role: Identity, why: "an e-mail address, by its name", last: "email mail email_address"},
	{kind: "set of email", role: Identity, why: "e-mail addresses in any order, by its name", last: "emails email_addresses"},

	{kind: "datetime", role: Material, why: "a date or time, by its name",
		last: "at date time datetime timestamp deadline day when start end due until since expires expiry expiration dob birthday birthdate"},
	{kind: "money", role: Material, why: "a sum of money, by its name", last: "amount price total cost fee balance budget salary discount fare"},
	{kind: "number", role: Material, why: "a number, by its name",
		last:  "count quantity qty limit width height weight age port minutes hours seconds days",
		first: "num max min"},
	{kind: "percent", role: Material, why: "a share in percent, by its name", last: "percent percentage pct"},
	{kind: "duration", role: Material, why: "a length of time, by its name", last: "duration"},
	{kind: "country", role: Material, why: "a country, by its name", last: "country", whole: "country_code"},
	{kind: "bool", role: Material, why: "a yes or no, by its name", last: "enabled", first: "is has should",
		whole: "draft private public recurring force recursive dry_run overwrite archived locked pinned"},
	{kind: "path", role: Identity, why: "a path, by its name", last: "path filepath filename file_name directory dir"},
	{kind: "phone", role: Identity, why: "a telephone number, by its name", last: "phone mobile telephone phone_number mobile_number"},
	{kind: "iban", role: Identity, why: "a bank account, by its name", last: "iban"},
	{kind: "url", role: Identity, why: "an address on the web, by its name", last: "url uri link href website webhook"},
	{kind: "list of url", role: Identity, why: "addresses on the web, by its name", last: "urls uris links"},
	{kind: "enum", role: Material, why: "one of a few words, by its name", whole: "currency status state priority severity permission visibility",
		last: "status priority severity currency"},

	{kind: "text", role: Material, why: "prose, by its name", set: prose,
		last: "message description summary title subject comment comments note notes reason caption explanation justification memo remark remarks feedback"},
	{kind: "text", role: Material, why: "prose, by its name, unless it is the text of a file or program", set: oftenProse,
		last: "body content contents text"},
}

// dataWords are words in names of arguments beside which a content is that of a file, a request or a program, or is typed into
// a field, where case and white space count.
var dataWords = wordSet("file files filename filepath path paths dir directory method headers endpoint url uri encoding code command sql query script language old new range cell sheet " +
	"notebook function bucket ttl index selector locator xpath element ref field")

// materialPrefixes begin names of what a thing is to become, and not of the thing.
var materialPrefixes = wordSet("new updated next")

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// Of the kinds, one reads the members of objects by their names, so the guesses are made once the kinds are.
func init() {
	unnamed = newGuess("auto", Material, "by the shape of its value, because its name says nothing").withMaterial()
	guesses.whole, guesses.last, guesses.first = map[string]*guess{}, map[string]*guess{}, map[string]*guess{}
	for _, h := range hints {
		g := newGuess(h.kind, h.role, h.why)
		if h.set != nil {
			h.set(g)
		}
		g.withMaterial()
		enter(guesses.whole, h.whole, g)
		enter(guesses.last, h.last, g)
		enter(guesses.first, h.first, g)
	}
}

func enter(by map[string]*guess, words string, g *guess) {
	for _, w := range strings.Fields(words) {
		if by[w] != nil {
			panic("fingerprint: the name " + w + " is hinted at twice")
		}
		by[w] = g
	}
}
