INSERT OR REPLACE INTO uses (effect, key, at, amount, given_back) VALUES (?1, ?2, ?3, ?4, 0)
