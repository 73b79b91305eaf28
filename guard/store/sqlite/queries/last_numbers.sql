SELECT
	coalesce((SELECT max(number) FROM effects), 0),
	coalesce((SELECT max(number) FROM events), 0),
	coalesce((SELECT max(number) FROM editions), 0)
