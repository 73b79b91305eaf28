-- Says until when windows are over, by the store's clock, and which numbers are never used again.
UPDATE pruned SET at = ?1, effect = ?2, event = ?3 WHERE id = 1
