SELECT id, hash, label, tenant, subject, agent, role, created, revoked FROM onceguard.credentials WHERE hash = $1
