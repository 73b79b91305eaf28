package main

import (
	"context"
	"hash/fnv"
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

func (p *pass) caller(ctx context.Context, queue <-chan recordedCall) error {
	runs := map[string]*recordedRun{}
	for c := range queue {
		run := runs[c.Run]
		if run == nil {
			run = newRecordedRun(p.survey.runs[c.Run])
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
		r, err := p.try(ctx, c, c.text, underWay{call: c, try: 1}, nil)
		if err != nil {
			return err
		}
		p.note(func(t *tally) { t.read(r) })
		return nil
	}
	in := run.intentOf(c, p.labels)
	in.wanted = in.wanted || !c.Error
	known := run.tool(c.Tool)
	view := judgement{labelledSame: known.labelledSame(c, p.labels), otherUntold: known.otherUntold(in)}
	for try := 1; try <= 1+p.retries; try++ {
		text := p.spell(c, try)
		known.add(text, in)
		r, err := p.try(ctx, c, text, underWay{intent: in, call: c, try: try}, known.texts)
		if err != nil {
			return err
		}
		view.executed = p.upstream.executed(in)
		p.note(func(t *tally) { t.write(in, c, r, try, view) })
		known.learn(in, r.standing)
		if r.standing != untold {
			break
		}
	}
	if p.labels != nil && !c.Error {
		in.texts = append(in.texts, c.text)
	}
	return nil
}

func (p *pass) try(ctx context.Context, c recordedCall, text string, w underWay, earlier map[string]*intent) (tried, error) {
	back, err := p.upstream.begin(ctx, text, w, earlier)
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
