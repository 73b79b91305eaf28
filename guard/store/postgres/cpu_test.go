package postgres_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
	"github.com/jackc/pgx/v5/pgxpool"
	"context"
)

func cpuOf(dsn string, t *testing.T) float64 {
	// sum of utime+stime of all backends of the server
	var total float64
	out, _ := exec.Command("ps", "-eo", "pid,args").Output()
	for _, l := range strings.Split(string(out), "\n") {
		if strings.Contains(l, "postgres: postgres "+dbOf) {
			var pid int
			fmt.Sscan(l, &pid)
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err != nil { continue }
			f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+2:]))
			var u, s float64
			fmt.Sscan(f[11], &u); fmt.Sscan(f[12], &s)
			total += u + s
		}
	}
	return total / 100
}
var dbOf string
func self() float64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

func TestCPU(t *testing.T) {
	server := servertest.StartPostgresOnDisk(t)
	for _, callers := range []int{1, 64} {
		n := 1500; if callers > 1 { n = 6000 }
		measure := func(name, dsn string, do func() error) {
			u := dsn[strings.Index(dsn, "///")+3:]
			dbOf = u[:strings.Index(u, "?")]
			storetest.Each(callers, n/5, do)
			a, sa, w := cpuOf(dsn, t), self(), time.Now()
			if err := storetest.Each(callers, n, do); err != nil { t.Fatal(err) }
			k := 1e6 / float64(n)
			t.Logf("%s callers %d: server %.0f us, client %.0f us, wall %.0f us", name, callers, (cpuOf(dsn, t)-a)*k, (self()-sa)*k, time.Since(w).Seconds()*k)
		}
		dsn := server.Database(t)
		s := openAt(t, dsn, postgres.Options{})
		measure("store", dsn, func() error { return cycle(s) })
		dsn = server.Database(t)
		pool := openPool(t, dsn, callers, naiveTables)
		measure("naive", dsn, func() error { return naiveCycle(pool) })
		dsn = server.Database(t)
		pool2 := openPool(t, dsn, callers, bareTable)
		measure("bare", dsn, func() error { return bareCycle(pool2) })
	}
}
func openPool(t *testing.T, dsn string, callers int, tables string) *pgxpool.Pool {
	ctx := context.Background()
	config, _ := pgxpool.ParseConfig(dsn)
	config.MaxConns = int32(callers)
	pool, _ := pgxpool.NewWithConfig(ctx, config)
	t.Cleanup(pool.Close)
	pool.Exec(ctx, tables)
	return pool
}
