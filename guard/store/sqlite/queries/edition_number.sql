SELECT number FROM editions WHERE pattern = ?1 AND text = ?2
