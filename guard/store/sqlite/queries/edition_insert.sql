-- Does nothing when the entry is in the book.
INSERT INTO editions VALUES (?1, ?2, ?3, ?4) ON CONFLICT (pattern, text) DO NOTHING
