-- Takes an effect on, if it is still in the state and at the event from which the change was derived.
UPDATE effects SET
	subject = ?4, agent = ?5, run = ?6, call_id = ?7, execute = ?8,
	state = ?9, code = ?10, reason = ?11, fence = ?12, claim = ?13, attempts = ?14, failures = ?15,
	review = ?16, policy = ?17, window_ns = ?18, updated = ?19, since = ?20,
	due = ?21, window_until = ?22,
	events = ?23, head = ?24, head_event = ?25, arguments_event = ?26, result_event = ?27, bytes = ?28
WHERE number = ?1 AND state = ?2 AND head_event = ?3
