package sealed

import (
	"crypto/sha256"
	"errors"

	"github.com/onceguard/onceguard/guard"
)

// sealResult returns a copy of r with its body sealed.
func (s *Store) sealResult(r *guard.Result, tenant, id string) (*guard.Result, error) {
	if r == nil {
		return nil, nil
	}
	body, err := s.ring.seal(r.Body, place{tenant, id, result})
	if err != nil {
		return nil, err
	}
	copied := *r
	copied.Body = body
	return &copied, nil
}

// ambiguous reports whether a result in the plain could be taken for a sealed one. Then it is sealed, asked for or not.
func ambiguous(r *guard.Result) bool { return r != nil && IsSealed(r.Body) }

// openResult returns r, or a copy of it with its body opened.
func (s *Store) openResult(r *guard.Result, tenant, id string) (*guard.Result, error) {
	if r == nil || !IsSealed(r.Body) {
		return r, nil
	}
	copied := *r
	copied.BodyHash = sha256.Sum256(r.Body)
	body, err := s.ring.open(r.Body, place{tenant, id, result})
	copied.Body = body
	return &copied, err
}

// openEffect opens what an effect holds, in place. The store beneath may share what it points to, which is copied.
func (s *Store) openEffect(e *guard.Effect) error {
	text, err := s.ring.open(e.Arguments, place{e.Tenant, e.ID, arguments})
	if err != nil {
		return corrupt(err)
	}
	opened, err := s.openResult(e.Result, e.Tenant, e.ID)
	if err != nil {
		return corrupt(err)
	}
	if opened != nil && opened != e.Result {
		opened.BodyHash = [32]byte{} // it is about an event's hash
	}
	e.Arguments, e.Result = text, opened
	return nil
}

func (s *Store) opened(e guard.Effect, err error) (guard.Effect, error) {
	if err == nil {
		err = s.openEffect(&e)
	}
	return e, s.openError(err)
}

func (s *Store) openEffects(list []guard.Effect, err error) ([]guard.Effect, error) {
	for i := range list {
		if wrong := s.openEffect(&list[i]); wrong != nil && err == nil {
			err = wrong
		}
	}
	return list, s.openError(err)
}

// openError opens the effect that an error of the ledger carries.
func (s *Store) openError(err error) error {
	e, ok := errors.AsType[*guard.Error](err)
	if !ok || e.Effect == nil {
		return err
	}
	effect, copied := *e.Effect, *e
	if wrong := s.openEffect(&effect); wrong != nil {
		return wrong
	}
	copied.Effect = &effect
	return &copied
}

func corrupt(err error) error {
	return &guard.Error{Code: guard.CodeCorrupt, Message: "the bytes of this effect cannot be opened; nothing is answered from it", Err: err}
}

func notSealed(op string, err error) error {
	return &guard.Error{Code: guard.CodeUnavailable, Op: op, Message: "the bytes could not be encrypted; nothing was recorded", Err: err}
}
