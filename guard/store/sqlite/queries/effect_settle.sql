-- Takes an effect on by an outcome or a note, which leave the claim as it is, if it is still in the state and at the
-- event from which the change was derived.
UPDATE effects SET
	state = ?4, code = ?5, reason = ?6, failures = ?7, review = ?8, updated = ?9, since = ?10,
	due = ?11, window_until = ?12, events = ?13, head = ?14, head_event = ?15, result_event = ?16, bytes = ?17
WHERE number = ?1 AND state = ?2 AND head_event = ?3
