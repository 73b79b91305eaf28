-- Two roles for a ledger, so that the server that answers agents cannot rewrite history: an owner, who brings the schema up to date
-- ("onceguard migrate up"), and an application, which may only claim, settle and append. Run it with psql as an
-- administrator in the ledger's database, before the first migration and again after each; to run it again changes nothing
-- else. Then give both a way to log in, such as ALTER ROLE … PASSWORD.
--
--     psql -d ledger -v ON_ERROR_STOP=1 -f roles.sql
--
-- The program opens the ledger as onceguard_application, with Options.NoMigrate. Triggers refuse changes of events, of
-- the book and of which effects there are, to the owner too; without the owner's rights nobody can drop the triggers. What no longer
-- answers is forgotten by the function prune alone, which runs with the owner's rights and keeps the rules of retention itself.
DO $$
BEGIN
	IF to_regrole('onceguard_owner') IS NULL THEN
		CREATE ROLE onceguard_owner LOGIN;
	END IF;
	IF to_regrole('onceguard_application') IS NULL THEN
		CREATE ROLE onceguard_application LOGIN;
	END IF;
	EXECUTE format('GRANT CREATE ON DATABASE %I TO onceguard_owner', current_database());
	CREATE SCHEMA IF NOT EXISTS onceguard AUTHORIZATION onceguard_owner;
	GRANT USAGE ON SCHEMA onceguard TO onceguard_application;
	IF to_regclass('onceguard.effects') IS NULL THEN
		RAISE NOTICE 'the roles are there: run "onceguard migrate up" as onceguard_owner, and then this script again';
		RETURN;
	END IF;
	GRANT SELECT ON ALL TABLES IN SCHEMA onceguard TO onceguard_application;
	GRANT USAGE ON ALL SEQUENCES IN SCHEMA onceguard TO onceguard_application;
	GRANT INSERT ON onceguard.effects, onceguard.events, onceguard.due, onceguard.answering, onceguard.finished, onceguard.uses,
		onceguard.book, onceguard.tallies, onceguard.credentials, onceguard.installation, onceguard.heartbeat TO onceguard_application;
	GRANT UPDATE ON onceguard.effects, onceguard.due, onceguard.uses, onceguard.tallies, onceguard.heartbeat TO onceguard_application;
	GRANT DELETE ON onceguard.due, onceguard.answering, onceguard.finished TO onceguard_application;
	GRANT UPDATE (revoked) ON onceguard.credentials TO onceguard_application;
END $$;
