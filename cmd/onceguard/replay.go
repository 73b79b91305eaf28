package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/policy"
)

const replayHelp = `Replay feeds recorded calls of agents through a guard, over its real HTTP endpoint, and counts at
a simulated upstream how many effects were executed twice. The same calls are then played without
a guard.

A recording has one JSON object a line: run, tool, arguments (the text that the model wrote),
result, error, write. The calls of one run are made in their order, and different runs are
different pieces of work. What the recording marks as a write that succeeded is applied by the
upstream each time that it arrives; what failed then is refused again. With --lose the upstream
drops that share of its replies to writes, after the work. An agent that gets no answer sends the
call again, often in another spelling of the same JSON value.

Two calls of a run are after the same effect when they have the same tool and equal JSON
arguments. The guard has no part in that judgement. Labelled pairs (--pairs) tell which repeats
were meant, and which calls are the same although they are written otherwise; they are counted
apart.

Without --url the guard runs inside this program, with the policies of --policies but the
simulated upstream, and with an empty ledger in a temporary folder. Tools that no call writes with
pass as reads where no policy names them. With --url a running guard is asked; it leaves every
call to the caller (execute: caller), so that no real tool is touched, but keeps the effects in
its ledger under runs that begin with "replay-". Then --policies checks that the running guard
compares arguments as that folder says.

Exit code 1: an effect was executed twice with the guard, or a call got no decision.`

// replayOptions are the flags of replay.
type replayOptions struct {
	policies string
	url      string
	key      string
	pairs    string
	lose     float64
	seed     uint64
	callers  int
	retries  int
	limit    int
	forget   bool
	json     bool
}

func newReplayCommand() *cobra.Command {
	var o replayOptions
	c := &cobra.Command{
		Use:   "replay [flags] calls.jsonl",
		Short: "Feed recorded calls through a guard and count double effects",
		Long:  replayHelp,
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return usageError{err}
			}
			report, err := o.replay(c.Context(), args[0], c.ErrOrStderr())
			if c.Context().Err() != nil {
				return errors.New("the replay was interrupted, so there is nothing to report")
			}
			if err != nil {
				return err
			}
			if o.json {
				err = writeJSON(c.OutOrStdout(), report)
			} else {
				err = report.print(c.OutOrStdout())
			}
			if err == nil && !report.OK {
				err = errReported
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&o.policies, "policies", "", "folder or file with policies")
	f.StringVar(&o.url, "url", "", "ask the running guard at this address")
	f.StringVar(&o.key, "key", "", "API key for --url (an agent's key is enough)")
	f.StringVar(&o.pairs, "pairs", "", "labelled pairs that tell which repeats were meant and which calls are the same")
	f.Float64Var(&o.lose, "lose", 0, "share of the replies to writes that are lost, 0 to 1")
	f.Uint64Var(&o.seed, "seed", 1, "chooses which replies are lost and how retries are spelled")
	f.IntVar(&o.callers, "callers", 8, "how many runs are played at a time")
	f.IntVar(&o.retries, "retries", 2, "how often an agent without an answer sends a call again")
	f.IntVar(&o.limit, "limit", 0, "play only the first N calls")
	f.BoolVar(&o.forget, "ignore-keys", false, "the upstream ignores idempotency keys, also for tools whose policy says that they honour them")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	return c
}

func (o *replayOptions) check() error {
	switch {
	case !(o.lose >= 0 && o.lose <= 1): // NaN is neither
		return errors.New("--lose is a share: choose a number from 0 to 1")
	case o.callers < 1 || o.callers > 1000:
		return errors.New("--callers must be 1 to 1000")
	case o.retries < 0 || o.retries > 100:
		return errors.New("--retries must be 0 to 100")
	case o.limit < 0:
		return errors.New("--limit must be 0 (all calls) or more")
	case o.key != "" && o.url == "":
		return errors.New("--key is for a running guard: add --url")
	}
	if o.url != "" {
		if u, err := url.Parse(o.url); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return errors.New("--url must be the address of a guard, such as http://127.0.0.1:7411")
		}
	}
	return nil
}

// rehearsal is a replay under way.
type rehearsal struct {
	replayOptions
	recording recording
	survey    survey
	labels    *labels // nil for none
	rules     *policy.Set
	stderr    io.Writer
	// runPrefix keeps the runs of one replay apart from everything else in the ledger of a running guard.
	runPrefix string
}

func (o replayOptions) replay(ctx context.Context, file string, stderr io.Writer) (*replayReport, error) {
	r := rehearsal{replayOptions: o, recording: recording{path: file, limit: o.limit}, rules: policy.Empty(), stderr: stderr}
	var err error
	if o.policies != "" {
		if r.rules, err = policy.Load(o.policies); err != nil {
			return nil, err
		}
	}
	if o.pairs != "" {
		if r.labels, err = readLabels(o.pairs); err != nil {
			return nil, err
		}
	}
	if r.survey, err = r.recording.survey(); err != nil {
		return nil, err
	}
	guarded, err := r.guarded(ctx)
	if err != nil {
		return nil, err
	}
	bare, err := r.bare(ctx)
	if err != nil {
		return nil, err
	}
	return &replayReport{
		OK:       guarded.Doubles == 0 && guarded.faults == 0,
		Input:    replayInput{File: file, Calls: r.survey.calls, Writes: r.survey.writes, Runs: len(r.survey.runs), Tools: len(r.survey.tools)},
		Settings: replaySettings{Lose: o.lose, Seed: o.seed, Retries: o.retries, Callers: o.callers, Policies: o.policies, URL: o.url},
		Guarded:  guarded.guarded(),
		Bare:     bare.pass(),
	}, nil
}

// bare plays the recording straight against the upstream.
func (r *rehearsal) bare(ctx context.Context) (tally, error) {
	upstream, err := startSimulation(r.survey.toolNames(), r.lose, r.seed)
	if err != nil {
		return tally{}, err
	}
	user := r.user(upstream)
	t, err := r.pass(ctx, "without guard", upstream, &user)
	return t, errors.Join(err, upstream.close())
}

// guarded plays the recording through a guard.
func (r *rehearsal) guarded(ctx context.Context) (t tally, err error) {
	upstream, err := startSimulation(r.survey.toolNames(), r.lose, r.seed)
	if err != nil {
		return tally{}, err
	}
	defer func() { err = errors.Join(err, upstream.close()) }()
	user := guardedUser{bareUser: r.user(upstream)}
	if r.url != "" {
		r.runPrefix = fmt.Sprintf("replay-%x-", time.Now().UnixNano())
		user.execute, user.runs, user.guard = "caller", r.runPrefix, client.New(r.url, r.key, user.http)
		if err := r.compareSpecs(ctx, user.guard); err != nil {
			return tally{}, err
		}
		return r.pass(ctx, "with guard", upstream, &user)
	}
	rules, err := r.redirected(upstream)
	if err != nil {
		return tally{}, err
	}
	folder, err := os.MkdirTemp("", "onceguard-replay-")
	if err != nil {
		return tally{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	own, err := startOwnGuard("127.0.0.1:0", folder, newOwnKey(), policy.Fixed(rules), true, slog.New(slog.DiscardHandler))
	if err != nil {
		return tally{}, err
	}
	defer func() { err = errors.Join(err, own.close()) }()
	user.guard = client.New(own.url, "", user.http)
	return r.pass(ctx, "with guard", upstream, &user)
}

func (r *rehearsal) pass(ctx context.Context, name string, upstream *simulation, user toolUser) (tally, error) {
	shown := startProgress(r.stderr, name, "calls", r.survey.calls)
	defer shown.stop()
	p := pass{
		recording: r.recording, survey: r.survey, labels: r.labels, upstream: upstream, user: user,
		seed: r.seed, callers: r.callers, retries: r.retries, played: &shown.done,
	}
	return p.run(ctx)
}

// user is what simulated agents need to reach the upstream themselves.
func (r *rehearsal) user(upstream *simulation) bareUser {
	numbers := map[string]int{}
	for i, tool := range r.survey.toolNames() {
		numbers[tool] = i
	}
	h := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: r.callers, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return bareUser{upstream: upstream, http: h, numbers: numbers}
}
