UPDATE effects SET due = ?3 WHERE number = ?1 AND state = 'pending' AND fence = ?2
