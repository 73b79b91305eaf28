package main

import (
	"net/http"
	"sync"
	"testing"
)

// The upstream's own count is the judge of a replay, so that each way to a double effect must be seen to raise it.
func TestSimulationCountsDoubles(t *testing.T) {
	t.Parallel()
	call := recordedCall{Run: "r", Tool: "pay", Write: true, Result: "paid", line: 1, text: `{"a":1}`}
	send := func(t *testing.T, s *simulation, w underWay, text string, times int) (status int) {
		t.Helper()
		back, err := s.begin(t.Context(), text, w, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer back()
		for range times {
			status, _, _ = s.send(t.Context(), http.DefaultClient, 0, text)
		}
		return status
	}
	for _, c := range []struct {
		name string
		play func(t *testing.T, s *simulation)
		want executions
	}{
		{"one execution", func(t *testing.T, s *simulation) {
			if status := send(t, s, underWay{intent: &intent{}, call: call, try: 1}, call.text, 1); status != http.StatusOK {
				t.Errorf("the status was %d", status)
			}
		}, executions{Requests: 1, Executions: 1, Effects: 1}},
		{"the agent repeats itself", func(t *testing.T, s *simulation) {
			in := &intent{}
			send(t, s, underWay{intent: in, call: call, try: 1}, call.text, 1)
			send(t, s, underWay{intent: in, call: call, try: 1}, `{"a": 1.0}`, 1)
		}, executions{Requests: 2, Executions: 2, Effects: 1, Doubles: 1, Repeated: 1}},
		{"a retry", func(t *testing.T, s *simulation) {
			in := &intent{}
			send(t, s, underWay{intent: in, call: call, try: 1}, call.text, 1)
			send(t, s, underWay{intent: in, call: call, try: 2}, call.text, 1)
		}, executions{Requests: 2, Executions: 2, Effects: 1, Doubles: 1, Retried: 1}},
		{"one request becomes two", func(t *testing.T, s *simulation) {
			send(t, s, underWay{intent: &intent{}, call: call, try: 1}, call.text, 2)
		}, executions{Requests: 2, Executions: 2, Effects: 1, Doubles: 1, Resent: 1}},
		{"nobody has asked", func(t *testing.T, s *simulation) {
			if _, _, err := s.send(t.Context(), http.DefaultClient, 0, call.text); err != nil {
				t.Error(err)
			}
		}, executions{Requests: 1, Executions: 1, Doubles: 1, Unasked: 1}},
		{"a refusal changes nothing", func(t *testing.T, s *simulation) {
			refused := call
			refused.Error = true
			if status := send(t, s, underWay{intent: &intent{}, call: refused, try: 1}, call.text, 1); status != http.StatusUnprocessableEntity {
				t.Errorf("the status was %d", status)
			}
		}, executions{Requests: 1}},
		{"a read changes nothing", func(t *testing.T, s *simulation) {
			send(t, s, underWay{call: call, try: 1}, call.text, 2)
		}, executions{Requests: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := simulate(t, 0)
			c.play(t, s)
			if got := s.counted(); got != c.want {
				t.Errorf("counted %+v, want %+v", got, c.want)
			}
		})
	}
}

func simulate(t *testing.T, lose float64) *simulation {
	t.Helper()
	s, err := startSimulation([]string{"pay"}, lose, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSimulationLosesRepliesAfterTheWork(t *testing.T) {
	t.Parallel()
	s := simulate(t, 1)
	in := &intent{}
	back, err := s.begin(t.Context(), "{}", underWay{intent: in, call: recordedCall{Tool: "pay", Write: true, line: 3}, try: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer back()
	if status, _, err := s.send(t.Context(), http.DefaultClient, 0, "{}"); err == nil {
		t.Errorf("there was an answer: %d", status)
	}
	if got := s.executed(in); got != 1 {
		t.Errorf("the work was done %d times, want 1", got)
	}
}

// A guard that sends an effect again sends the bytes of the first time, and not those of the retry.
func TestSimulationKnowsEarlierSpellings(t *testing.T) {
	t.Parallel()
	s := simulate(t, 0)
	in, other := &intent{executed: 1}, &intent{executed: 1}
	back, err := s.begin(t.Context(), `{"a":1.0}`, underWay{intent: in, call: recordedCall{Tool: "pay", Write: true}, try: 2},
		map[string]*intent{`{"a":1}`: in, `{"a":2}`: other})
	if err != nil {
		t.Fatal(err)
	}
	defer back()
	for _, text := range []string{`{"a":1}`, `{"a":2}`} {
		if _, _, err := s.send(t.Context(), http.DefaultClient, 0, text); err != nil {
			t.Error(err)
		}
	}
	if c := s.counted(); in.executed != 2 || other.executed != 2 || c.Retried != 2 || c.Unasked != 0 {
		t.Errorf("the intents were executed %d and %d times: %+v", in.executed, other.executed, c)
	}
}

func TestSimulationHonoursKeys(t *testing.T) {
	t.Parallel()
	s := simulate(t, 0)
	w := &underWay{intent: &intent{}, call: recordedCall{Tool: "pay", Write: true}, try: 1}
	s.apply(w, true, "k1")
	s.apply(w, true, "k1")
	s.apply(w, true, "k2")
	if c := s.counted(); c.Executions != 2 || c.KeysSeen != 1 {
		t.Errorf("counted %+v, want 2 executions and 1 key seen again", c)
	}
}

func TestEqualRequestsAreOutOneAfterTheOther(t *testing.T) {
	t.Parallel()
	s := simulate(t, 0)
	var intents [8]intent
	var all sync.WaitGroup
	for i := range intents {
		all.Go(func() {
			back, err := s.begin(t.Context(), "{}", underWay{intent: &intents[i], call: recordedCall{Tool: "pay", Write: true}, try: 1}, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer back()
			if _, _, err := s.send(t.Context(), http.DefaultClient, 0, "{}"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range intents {
		if intents[i].executed != 1 {
			t.Errorf("intent %d was executed %d times: requests were taken for another's", i, intents[i].executed)
		}
	}
}
