UPDATE effects SET bytes = 0 WHERE number = ?1
