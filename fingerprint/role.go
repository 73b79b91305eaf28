package fingerprint

import "fmt"

// Role says what an argument is to the effect.
type Role uint8

// The roles. An argument that nobody declared is Material. A difference in an Identity or Material argument is a
// different effect; one in a Commentary or Volatile argument is only reported.
const (
	Material   Role = iota // what is done to the thing acted on: an amount, a text
	Identity               // what is acted on: an order, an account
	Commentary             // why, or a note to oneself
	Volatile               // new in every call: a request id, a timestamp
)

// roleNames is in the order of the constants.
var roleNames = [...]string{"material", "identity", "commentary", "volatile"}

// Decides reports whether a difference in an argument of this role makes another effect.
func (r Role) Decides() bool { return r == Material || r == Identity }

func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return fmt.Sprintf("role %d", uint8(r))
}

// ParseRole reads the name of a role; the error names the nearest one.
func ParseRole(s string) (Role, error) {
	for i, name := range roleNames {
		if s == name {
			return Role(i), nil
		}
	}
	return 0, fmt.Errorf("unknown role %q%s; the roles are identity, material, commentary and volatile", s, nearest(s, roleNames[:]))
}

// MarshalText writes the name of the role.
func (r Role) MarshalText() ([]byte, error) {
	if int(r) >= len(roleNames) {
		return nil, fmt.Errorf("there is no %s", r)
	}
	return []byte(roleNames[r]), nil
}

// UnmarshalText reads the name of a role.
func (r *Role) UnmarshalText(text []byte) error {
	role, err := ParseRole(string(text))
	if err == nil {
		*r = role
	}
	return err
}

// rank orders terms for people: what is acted on first, what does not matter last.
func (r Role) rank() int {
	switch r {
	case Identity:
		return 0
	case Material:
		return 1
	case Commentary:
		return 2
	default:
		return 3
	}
}
