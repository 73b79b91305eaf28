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
	key        BLOB NOT NULL CHECK (length(key) = 32),
	generation INTEGER NOT NULL CHECK (generation > 0),
	wide       BLOB CHECK (length(wide) = 32),
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
CREATE INDEX effects_by_tenant ON effects (tenant);
CREATE INDEX effects_due ON effects (due) WHERE due IS NOT NULL;
CREATE INDEX effects_unsent ON effects (since) WHERE state = 'approved' AND execute = 'guard';
CREATE INDEX effects_in_review ON effects (tenant) WHERE review <> '';
CREATE INDEX effects_by_wide ON effects (wide) WHERE wide IS NOT NULL;
CREATE INDEX effects_by_identity ON effects (identity) WHERE identity IS NOT NULL;
CREATE INDEX effects_by_resource ON effects (resource, since) WHERE resource IS NOT NULL AND state = 'done';
CREATE INDEX effects_by_caller_key ON effects (caller_key) WHERE caller_key IS NOT NULL;

-- A question about likeness is about what still answers, however many like it have come and gone: by the time until which
-- they do, which has no end while they are open. All that tells the newest of them is in the index.
CREATE INDEX effects_by_near ON effects (near, tenant, coalesce(window_until, 9223372036854775807) DESC, key)
	WHERE near IS NOT NULL AND state <> 'failed' AND state <> 'refused';

-- One row for each event, only ever appended. An effect's row names its last event and each event the one before
-- it, so that the events of an effect are found without an index.
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
	hash         BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER events_are_final BEFORE UPDATE ON events BEGIN
	SELECT raise(ABORT, 'an event is never changed');
END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN
	SELECT raise(ABORT, 'an event is never deleted');
END;
CREATE TRIGGER effects_are_kept BEFORE DELETE ON effects BEGIN
	SELECT raise(ABORT, 'an effect is never deleted');
END;

-- The book of editions: how the calls of some tools have been fingerprinted. Only ever appended.
CREATE TABLE editions (
	number  INTEGER PRIMARY KEY,
	pattern TEXT NOT NULL,
	text    BLOB NOT NULL,
	at      INTEGER NOT NULL,
	UNIQUE (pattern, text)
) STRICT;

CREATE TRIGGER editions_are_final BEFORE UPDATE ON editions BEGIN
	SELECT raise(ABORT, 'an edition is never changed');
END;
CREATE TRIGGER editions_are_kept BEFORE DELETE ON editions BEGIN
	SELECT raise(ABORT, 'an edition is never deleted');
END;

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
