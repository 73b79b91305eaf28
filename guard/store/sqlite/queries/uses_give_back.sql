UPDATE uses SET given_back = ?2 WHERE effect = ?1
