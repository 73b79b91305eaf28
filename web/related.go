package web

import (
	"context"

	"github.com/onceguard/onceguard/guard"
)

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
