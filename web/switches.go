package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// switchForm is the form that stops the sends of a tool or an agent, or allows them again.
type switchForm struct {
	Kind   guard.SwitchKind
	Name   string
	Off    bool
	Reason string
}

func (f *switchForm) bind(c echo.Context) error {
	form, err := postForm(c)
	if err != nil {
		return err
	}
	f.Kind, f.Name, f.Reason = guard.SwitchKind(form.Get("kind")), strings.TrimSpace(form.Get("name")), strings.TrimSpace(form.Get("reason"))
	switch form.Get("do") {
	case "stop":
		f.Off = true
	case "allow":
	default:
		return &refusal{http.StatusBadRequest, "This form is broken", "It says neither to stop nor to allow. Open the overview again."}
	}
	return nil
}

// setSwitch is POST /switches, for admins.
func (w *Web) setSwitch(ctx context.Context, p guard.Principal, f switchForm) (reply, error) {
	if _, err := w.guard.Switch(ctx, p, guard.Switch{Kind: f.Kind, Name: f.Name, Off: f.Off, Reason: f.Reason}); err != nil {
		return nil, err
	}
	return redirect("/overview#switches"), nil
}

func stopAddress(kind guard.SwitchKind, name string) string {
	return "/overview?" + url.Values{"kind": {string(kind)}, "name": {name}}.Encode() + "#switches"
}

// switchLine is a switch as it stands.
type switchLine struct {
	Kind   guard.SwitchKind
	Name   string
	Off    bool
	Reason string
	By     string
	At     time.Time
}

func switchLines(list []guard.Switched) []switchLine {
	lines := make([]switchLine, len(list))
	for i, s := range list {
		lines[i] = switchLine{s.Kind, s.Name, s.Off, s.Reason, s.By, s.At}
	}
	return lines
}
