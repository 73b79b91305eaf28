-- The highest numbers in use or once in use: what was forgotten leaves its numbers to nobody.
SELECT
	max(coalesce((SELECT max(number) FROM effects), 0), effect),
	max(coalesce((SELECT max(number) FROM events), 0), event),
	coalesce((SELECT max(number) FROM book), 0)
FROM pruned WHERE id = 1
