SELECT id, hash, label, tenant, subject, agent, role, created, revoked FROM credentials WHERE id = ?1
