package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard/store/servertest"
)

func TestMigrate(t *testing.T) {
	dsn := servertest.Postgres(t)
	command := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, strings.NewReader(""), &out, &errs, []string{"ONCEGUARD_LEDGER=" + dsn}); code != exitOK {
			t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
		}
		return out.String()
	}
	if before := command("migrate", "status"); !strings.Contains(before, "not yet") {
		t.Errorf("an empty database: %s", before)
	}
	command("migrate", "up")
	command("migrate", "up") // changes nothing
	var after struct{ Migrations []migrationReport }
	if err := json.Unmarshal([]byte(command("migrate", "status", "--json")), &after); err != nil || len(after.Migrations) == 0 {
		t.Fatalf("%+v, %v", after, err)
	}
	for _, m := range after.Migrations {
		if m.Applied.IsZero() {
			t.Errorf("step %d %s is not applied", m.Number, m.Name)
		}
	}
	if key := command("keys", "create", "--role", "agent", "--subject", "bot"); !strings.HasPrefix(key, "og_agent_") {
		t.Errorf("got the key %q", key)
	}
}

func TestMigrateNeedsADatabase(t *testing.T) {
	for _, environ := range [][]string{nil, {"ONCEGUARD_LEDGER=mysql://root@localhost/db"}} {
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"migrate", "status"}, strings.NewReader(""), &out, &errs, environ)
		if code != exitUsage || !strings.Contains(errs.String(), "--ledger postgres://") {
			t.Errorf("%v: exit code %d: %s", environ, code, errs.String())
		}
	}
}

func TestAPasswordIsNotShown(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"serve", "--print-config"}, strings.NewReader(""), &out, &errs,
		[]string{"HOME=/home/u", "ONCEGUARD_LEDGER=postgres://app:hunter2@db.internal/onceguard"})
	if code != exitOK || strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "db.internal/onceguard") {
		t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
	}
}
