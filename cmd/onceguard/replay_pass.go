package main

import (
	"context"
	"crypto/sha256"
	"hash/fnv"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// pass plays a whole recording once: each run in its order, several runs at a time.
type pass struct {
	recording recording
	survey    survey
	labels    *labels // nil for none
	upstream  *simulation
	user      toolUser
	seed      uint64
	callers   int
	retries   int
	played    *atomic.Int64 // recorded calls so far, for the progress

	mu    sync.Mutex
	tally tally
}

// run plays the recording. Calls of one run go to one caller, so that they keep their order; the queues are short, so that
// the file is read no faster than it is played.
func (p *pass) run(ctx context.Context) (tally, error) {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	queues := make([]chan recordedCall, p.callers)
	for i := range queues {
		queue := make(chan recordedCall, 32)
		queues[i] = queue
		group.Go(func() error { return p.caller(ctx, queue) })
	}
	group.Go(func() error {
		defer func() {
			for _, queue := range queues {
				close(queue)
			}
		}()
		return p.recording.each(func(c recordedCall) error {
			h := fnv.New32a()
			h.Write([]byte(c.Run))
			select {
			case queues[h.Sum32()%uint32(len(queues))] <- c:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	if err := group.Wait(); err != nil {
		return tally{}, err
	}
	t := p.tally
	t.executions = p.upstream.counted()
	t.took = time.Since(began)
	return t, nil
}

// recordedRun is one run while it is played.
type recordedRun struct {
	left    int // calls that are still to come
	intents map[[sha256.Size]byte]*intent
	texts   map[string][]string // of the writes so far, by tool; kept only where there are labels
}

func (p *pass) caller(ctx context.Context, queue <-chan recordedCall) error {
	runs := map[string]*recordedRun{}
	for c := range queue {
		run := runs[c.Run]
		if run == nil {
			run = &recordedRun{left: p.survey.runs[c.Run], intents: map[[sha256.Size]byte]*intent{}, texts: map[string][]string{}}
			runs[c.Run] = run
		}
		if err := p.play(ctx, run, c); err != nil {
			return err
		}
		p.played.Add(1)
		if run.left--; run.left == 0 {
			p.finish(run)
			delete(runs, c.Run)
		}
	}
	return nil
}

// play lets the simulated agent make one recorded call. Like real agents and their libraries, it sends a write again
// that brought no answer, often in another spelling.
func (p *pass) play(ctx context.Context, run *recordedRun, c recordedCall) error {
	if !c.Write {
		r, err := p.try(ctx, c, c.text, underWay{call: c, try: 1})
		if err != nil {
			return err
		}
		p.note(func(t *tally) { t.read(r) })
		return nil
	}
	in := run.intentOf(c, p.labels)
	in.wanted = in.wanted || !c.Error
	view := judgement{labelledSame: run.labelledSame(c, p.labels), otherUntold: run.otherUntold(in)}
	for try := 1; try <= 1+p.retries; try++ {
		r, err := p.try(ctx, c, p.spell(c, try), underWay{intent: in, call: c, try: try})
		if err != nil {
			return err
		}
		view.executed = p.upstream.executed(in)
		p.note(func(t *tally) { t.write(in, c, r, try, view) })
		in.tries++
		if r.standing != refused {
			in.standing = r.standing
		}
		if r.standing != untold {
			break
		}
	}
	if p.labels != nil {
		run.texts[c.Tool] = append(run.texts[c.Tool], c.text)
		if !c.Error {
			in.texts = append(in.texts, c.text)
		}
	}
	return nil
}

func (p *pass) try(ctx context.Context, c recordedCall, text string, w underWay) (tried, error) {
	back, err := p.upstream.begin(ctx, text, w)
	if err != nil {
		return tried{}, err
	}
	defer back()
	return p.user.use(ctx, c, text)
}

// finish counts what a run wanted and did not get.
func (p *pass) finish(run *recordedRun) {
	unmet := 0
	for _, in := range run.intents {
		if in.wanted && !in.meant && p.upstream.executed(in) == 0 {
			unmet++
		}
	}
	p.note(func(t *tally) { t.unmet += unmet })
}

func (p *pass) note(change func(*tally)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.tally)
}

// spell is the argument text of a try: as recorded for the first and for one in four others.
func (p *pass) spell(c recordedCall, try int) string {
	style := hash64(p.seed, uint64(c.line), uint64(try), 0x5e11)
	if try == 1 || style%4 == 0 {
		return c.text
	}
	return respell(c.text, style>>8)
}

// intentOf finds what a call is after: the same as an earlier call of its run with the same tool and arguments, unless
// people say that this repeat is wanted.
func (r *recordedRun) intentOf(c recordedCall, l *labels) *intent {
	key := sha256.Sum256([]byte(c.Tool + "\x00" + sameText(c.text)))
	in := r.intents[key]
	if in == nil {
		in = &intent{tool: c.Tool}
		r.intents[key] = in
		return in
	}
	for _, earlier := range in.texts {
		if l.meant[[3]string{c.Tool, earlier, c.text}] {
			in = &intent{tool: c.Tool, meant: true, texts: in.texts}
			r.intents[key] = in
			return in
		}
	}
	return in
}

// labelledSame reports whether people say that a call is after the same effect as an earlier one of the run.
func (r *recordedRun) labelledSame(c recordedCall, l *labels) bool {
	if l == nil {
		return false
	}
	return slices.ContainsFunc(r.texts[c.Tool], func(earlier string) bool { return l.same[[3]string{c.Tool, earlier, c.text}] })
}

// otherUntold reports whether the outcome of another intent with the same tool is open.
func (r *recordedRun) otherUntold(in *intent) bool {
	for _, other := range r.intents {
		if other != in && other.tool == in.tool && other.tries > 0 && other.standing == untold {
			return true
		}
	}
	return false
}
