INSERT INTO tallies VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO UPDATE SET count = count + excluded.count
