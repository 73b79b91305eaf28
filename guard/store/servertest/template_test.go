package servertest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard/store/servertest"
)

func TestTemplateIsPreparedOnce(t *testing.T) {
	prepared := 0
	template := servertest.NewTemplate(func(dsn string) error {
		prepared++
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "CREATE SCHEMA s; CREATE TABLE s.numbers AS SELECT 7 AS n; CREATE TABLE s.kept AS SELECT 8 AS n")
		return err
	})
	first, second := template.Postgres(t), template.Postgres(t)
	servertest.Empty(t, first, "s", "kept")
	for _, c := range []struct {
		dsn, table string
		want       int
	}{{first, "numbers", 0}, {first, "kept", 1}, {second, "numbers", 1}} {
		var n int
		if ask(t, c.dsn, "SELECT count(*) FROM s."+c.table, &n); n != c.want {
			t.Errorf("%s has %d rows, want %d", c.table, n, c.want)
		}
	}
	if prepared != 1 {
		t.Errorf("prepared %d times", prepared)
	}
}
