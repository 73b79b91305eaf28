-- Does nothing when the entry is an edition that is in the book.
INSERT INTO book VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (name, text) WHERE kind = 'edition' DO NOTHING
