SELECT id, hash, label, tenant, subject, agent, role, created, revoked FROM onceguard.credentials ORDER BY number
