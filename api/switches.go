package api

import (
	"context"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

// switches is GET /v1/switches.
func (a *API) switches(ctx context.Context, p guard.Principal, _ struct{}) (client.Switches, error) {
	list, err := a.guard.Switches(ctx, p)
	if err != nil {
		return client.Switches{}, err
	}
	w := client.Switches{Switches: make([]client.Switched, len(list))}
	for i := range list {
		w.Switches[i] = switched(&list[i])
	}
	return w, nil
}

// setSwitch is PUT /v1/switches.
func (a *API) setSwitch(ctx context.Context, p guard.Principal, r client.Switch) (client.Switched, error) {
	s, err := a.guard.Switch(ctx, p, guard.Switch{Kind: guard.SwitchKind(r.Kind), Name: r.Name, Off: r.Off, Reason: r.Reason})
	if err != nil {
		return client.Switched{}, err
	}
	return switched(&s), nil
}

func switched(s *guard.Switched) client.Switched {
	return client.Switched{
		Switch: client.Switch{Kind: string(s.Kind), Name: s.Name, Off: s.Off, Reason: s.Reason}, By: s.By, At: s.At,
	}
}
