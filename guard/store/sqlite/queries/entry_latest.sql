-- The number of the latest entry about something, 0 for none.
SELECT coalesce(max(number), 0) FROM book WHERE kind = ?1 AND name = ?2
