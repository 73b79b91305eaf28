-- One row for each effect: the fold of its events, and nothing that is long.
--
-- Times are microseconds since 1970 (UTC). A digest that is not set is NULL. Argument and result bytes stand in the
-- events that brought them; the row keeps the numbers of these events.
CREATE TABLE effects (
	number     INTEGER PRIMARY KEY, -- order of creation
	id         TEXT NOT NULL UNIQUE CHECK (id <> ''),
	tenant     TEXT NOT NULL CHECK (tenant <> ''),
	subject    TEXT NOT NULL,
	agent      TEXT NOT NULL,
	run        TEXT NOT NULL,
	call_id    TEXT NOT NULL,
	tool       TEXT NOT NULL,
	type       TEXT NOT NULL,
	execute    TEXT NOT NULL,
	about      TEXT NOT NULL,       -- for lists and searches
	related    TEXT NOT NULL,       -- id of the effect for which this one was held; '' for none
	key        BLOB NOT NULL CHECK (length(key) = 32),
	generation INTEGER NOT NULL CHECK (generation > 0),
	identity   BLOB CHECK (length(identity) = 32),
	near       BLOB CHECK (length(near) = 32),
	resource   BLOB CHECK (length(resource) = 32),
	caller_key BLOB CHECK (length(caller_key) = 32),
	state      TEXT NOT NULL,
	code       TEXT NOT NULL,
	reason     TEXT NOT NULL,
	fence      INTEGER NOT NULL CHECK (fence > 0),
	claim      TEXT NOT NULL,
	attempts   INTEGER NOT NULL,
	failures   INTEGER NOT NULL CHECK (failures BETWEEN 0 AND attempts),
	review     TEXT NOT NULL,       -- why a person is needed; '' when none is
	policy     TEXT NOT NULL,
	window_ns  INTEGER NOT NULL CHECK (window_ns >= 0),
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL CHECK (updated >= created),
	since      INTEGER NOT NULL CHECK (since BETWEEN created AND updated), -- of the last event that was not a note
	due        INTEGER,             -- when time ends the state: the lease, or the time to decide or to use a decision
	window_until INTEGER,           -- done, failed, and refused by a person: until when it answers
	events     INTEGER NOT NULL CHECK (events > 0),
	head       BLOB NOT NULL CHECK (length(head) = 32),
	head_event INTEGER NOT NULL REFERENCES events,
	arguments_event INTEGER REFERENCES events,
	result_event    INTEGER REFERENCES events,
	bytes      INTEGER NOT NULL CHECK (bytes = 0 OR bytes = 1), -- whether its events hold bytes of arguments or results

	-- Alternatives and not IN lists, for which SQLite builds a table at each write. The commonest stand first.
	CHECK (CASE state
		WHEN 'pending'  THEN due IS NOT NULL AND window_until IS NULL AND attempts > 0 AND claim <> ''
		WHEN 'done'     THEN due IS NULL AND window_until IS NOT NULL AND attempts > 0
		WHEN 'failed'   THEN due IS NULL AND window_until IS NOT NULL AND attempts > 0 AND failures = attempts
		WHEN 'partial'  THEN due IS NULL AND window_until IS NULL AND attempts > 0
		WHEN 'unknown'  THEN due IS NULL AND window_until IS NULL AND attempts > 0
		WHEN 'held'     THEN due IS NOT NULL AND window_until IS NULL AND attempts = 0
		WHEN 'approved' THEN due IS NOT NULL AND window_until IS NULL
		WHEN 'refused'  THEN due IS NULL AND attempts = 0
		ELSE FALSE
	END)
) STRICT;

CREATE UNIQUE INDEX effects_by_key ON effects (key, generation);
CREATE INDEX effects_by_tenant ON effects (tenant, created);
CREATE INDEX effects_due ON effects (due) WHERE due IS NOT NULL;
CREATE INDEX effects_unsent ON effects (since) WHERE state = 'approved' AND execute = 'guard';
CREATE INDEX effects_in_review ON effects (tenant, created) WHERE review <> '';
CREATE INDEX effects_by_resource ON effects (resource, since) WHERE resource IS NOT NULL AND state = 'done';
CREATE INDEX effects_by_caller_key ON effects (caller_key) WHERE caller_key IS NOT NULL;

-- A question about what is alike is about what still answers, however many like it have come and gone: by the time until which
-- they do, which has no end while they are open. All that tells the newest of them is in the index. The same call in other scopes
-- has the first half of its key in common, and is found by that.
CREATE INDEX effects_by_identity ON effects (identity, tenant, coalesce(window_until, 9223372036854775807) DESC, key)
	WHERE identity IS NOT NULL AND state <> 'failed' AND state <> 'refused';
CREATE INDEX effects_by_near ON effects (near, tenant, coalesce(window_until, 9223372036854775807) DESC, key)
	WHERE near IS NOT NULL AND state <> 'failed' AND state <> 'refused';

-- What may be forgotten, by its last change.
CREATE INDEX effects_settled ON effects (bytes, updated)
	WHERE (state = 'done' OR state = 'failed' OR state = 'refused') AND review = '';

-- One row for each event. An effect's row names its last event and each event the one before it, so that the events of an
-- effect are found without an index. An event that was pruned has the hashes of its bytes in their place.
CREATE TABLE events (
	number       INTEGER PRIMARY KEY,
	effect       INTEGER NOT NULL REFERENCES effects,
	previous     INTEGER REFERENCES events CHECK (previous < number),
	seq          INTEGER NOT NULL CHECK (seq > 0 AND (seq = 1) = (previous IS NULL)),
	at           INTEGER NOT NULL,
	kind         TEXT NOT NULL,
	from_state   TEXT NOT NULL CHECK ((from_state = '') = (seq = 1)),
	to_state     TEXT NOT NULL,
	fence        INTEGER NOT NULL CHECK (fence > 0),
	actor_kind   TEXT NOT NULL,
	actor_name   TEXT NOT NULL,
	code         TEXT NOT NULL,
	note         TEXT NOT NULL,
	claim        TEXT NOT NULL,
	count        INTEGER NOT NULL,
	arguments    BLOB,
	source       TEXT, -- NULL when the event brought no result
	status       INTEGER,
	content_type TEXT,
	is_error     INTEGER,
	body         BLOB,
	hash         BLOB NOT NULL CHECK (length(hash) = 32),
	arguments_hash BLOB CHECK (arguments_hash IS NULL OR arguments IS NULL AND length(arguments_hash) = 32),
	body_hash      BLOB CHECK (body_hash IS NULL OR body IS NULL AND length(body_hash) = 32)
) STRICT;

-- What is forgotten was forgotten by this moment of the store's clock, and had these numbers at most.
CREATE TABLE pruned (
	id     INTEGER PRIMARY KEY CHECK (id = 1),
	at     INTEGER NOT NULL,
	effect INTEGER NOT NULL,
	event  INTEGER NOT NULL
) STRICT;
INSERT INTO pruned VALUES (1, 0, 0, 0);

-- An effect is deleted only when it no longer answers, and nothing answers that did not before.
CREATE TRIGGER effects_are_kept BEFORE DELETE ON effects
WHEN (OLD.state <> 'done' AND OLD.state <> 'failed' AND OLD.state <> 'refused')
	OR OLD.review <> ''
	OR coalesce(OLD.window_until, 0) > (SELECT at FROM pruned)
	OR EXISTS (SELECT 1 FROM effects AS o WHERE o.key = OLD.key AND o.generation < OLD.generation)
	OR OLD.state = 'done' AND EXISTS (
		SELECT 1 FROM effects AS o
		WHERE o.resource = OLD.resource AND o.state = 'done' AND o.since < OLD.since
		  AND o.tenant = OLD.tenant AND o.key <> OLD.key AND o.window_until > (SELECT at FROM pruned))
BEGIN
	SELECT raise(ABORT, 'an effect that answers, or that is under review, is never deleted');
END;

-- An event goes with its effect.
CREATE TRIGGER events_are_kept BEFORE DELETE ON events
WHEN EXISTS (SELECT 1 FROM effects WHERE number = OLD.effect)
BEGIN
	SELECT raise(ABORT, 'an event is never deleted before its effect');
END;

-- An event is changed only to put hashes in the place of bytes, when its effect no longer answers. A wrong hash breaks the chain.
CREATE TRIGGER events_are_final BEFORE UPDATE ON events
WHEN NEW.number <> OLD.number OR NEW.effect <> OLD.effect OR NEW.previous IS NOT OLD.previous OR NEW.seq <> OLD.seq OR NEW.at <> OLD.at
	OR NEW.kind <> OLD.kind OR NEW.from_state <> OLD.from_state OR NEW.to_state <> OLD.to_state OR NEW.fence <> OLD.fence
	OR NEW.actor_kind <> OLD.actor_kind OR NEW.actor_name <> OLD.actor_name OR NEW.code <> OLD.code OR NEW.note <> OLD.note
	OR NEW.claim <> OLD.claim OR NEW.count <> OLD.count OR NEW.source IS NOT OLD.source OR NEW.status IS NOT OLD.status
	OR NEW.content_type IS NOT OLD.content_type OR NEW.is_error IS NOT OLD.is_error OR NEW.hash <> OLD.hash
	OR NEW.arguments IS NOT NULL OR NEW.body IS NOT NULL
	OR (NEW.arguments_hash IS NULL) <> (OLD.arguments_hash IS NULL AND coalesce(length(OLD.arguments), 0) = 0)
	OR (NEW.body_hash IS NULL) <> (OLD.body_hash IS NULL AND coalesce(length(OLD.body), 0) = 0)
	OR OLD.arguments_hash IS NOT NULL AND NEW.arguments_hash <> OLD.arguments_hash
	OR OLD.body_hash IS NOT NULL AND NEW.body_hash <> OLD.body_hash
	OR NOT EXISTS (
		SELECT 1 FROM effects
		WHERE number = OLD.effect AND (state = 'done' OR state = 'failed' OR state = 'refused') AND review = ''
		  AND coalesce(window_until, 0) <= (SELECT at FROM pruned))
BEGIN
	SELECT raise(ABORT, 'an event is never changed');
END;

-- What effects have used up under the keys of limits, once for each, as of the latest claim. A failed effect has given it back.
-- A row outlives its effect for as long as a limit may look back.
CREATE TABLE uses (
	number     INTEGER PRIMARY KEY,
	effect     INTEGER NOT NULL,
	key        BLOB NOT NULL CHECK (length(key) = 32),
	at         INTEGER NOT NULL,
	amount     INTEGER NOT NULL CHECK (amount >= 0),
	given_back INTEGER NOT NULL CHECK (given_back = 0 OR given_back = 1),
	UNIQUE (effect, key)
) STRICT;

CREATE INDEX uses_by_key ON uses (key, at, effect, amount) WHERE given_back = 0;

-- The book: what every process must have read before it claims. Only ever appended.
CREATE TABLE book (
	number INTEGER PRIMARY KEY,
	kind   TEXT NOT NULL CHECK (kind <> ''),
	name   TEXT NOT NULL,
	text   BLOB NOT NULL,
	author TEXT NOT NULL,
	reason TEXT NOT NULL,
	at     INTEGER NOT NULL,
	onto   INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX book_of_editions ON book (name, text) WHERE kind = 'edition';
CREATE INDEX book_by_name ON book (kind, name);

CREATE TRIGGER book_is_final BEFORE UPDATE ON book BEGIN
	SELECT raise(ABORT, 'an entry of the book is never changed');
END;
CREATE TRIGGER book_is_kept BEFORE DELETE ON book BEGIN
	SELECT raise(ABORT, 'an entry of the book is never deleted');
END;

-- Counters for people to look at, in buckets of time.
CREATE TABLE tallies (
	tenant TEXT NOT NULL CHECK (tenant <> ''),
	start  INTEGER NOT NULL,
	tool   TEXT NOT NULL,
	kind   TEXT NOT NULL,
	code   TEXT NOT NULL,
	count  INTEGER NOT NULL CHECK (count >= 0),
	PRIMARY KEY (tenant, start, tool, kind, code)
) STRICT, WITHOUT ROWID;

CREATE INDEX tallies_by_start ON tallies (start);

CREATE TABLE credentials (
	number  INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE CHECK (id <> ''),
	hash    BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	label   TEXT NOT NULL,
	tenant  TEXT NOT NULL,
	subject TEXT NOT NULL,
	agent   TEXT NOT NULL,
	role    TEXT NOT NULL CHECK (role IN ('agent', 'reviewer', 'admin')),
	created INTEGER NOT NULL,
	revoked INTEGER
) STRICT;

-- The digest of the key under which all fingerprints of this ledger were made.
CREATE TABLE installation (
	id   INTEGER PRIMARY KEY CHECK (id = 1),
	mark BLOB NOT NULL CHECK (length(mark) = 32)
) STRICT;

-- The row that Ping writes, to learn whether a write is possible.
CREATE TABLE heartbeat (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	at INTEGER NOT NULL
) STRICT;
