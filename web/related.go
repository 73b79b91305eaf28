package web

import (
	"context"

	"github.com/onceguard/onceguard/guard"
)

// history reads an effect and its events.
func (w *Web) history(ctx context.Context, p guard.Principal, id string) (e guard.Effect, events []guard.Event, err error) {
	if e, err = w.guard.Effect(ctx, p, id); err != nil {
		return e, nil, err
	}
	events, err = w.guard.Events(ctx, p, id)
	return e, events, err
}

// related is the effect for which another was held; nil where there is none, or none that can be shown.
func (w *Web) related(ctx context.Context, p guard.Principal, e *guard.Effect) (*guard.Effect, error) {
	if e.Related == "" {
		return nil, nil
	}
	earlier, err := w.guard.Effect(ctx, p, e.Related)
	switch guard.CodeOf(err) {
	case "":
		return &earlier, nil
	case guard.CodeNotFound, guard.CodeCorrupt:
		return nil, nil
	}
	return nil, err
}
