package policy

// Mode says how much of a tool's rule is enforced. A switch between modes makes no other effect of any call: keys do not depend on it.
type Mode string

// The modes.
const (
	// ModeEnforce is the default: the rule decides.
	ModeEnforce Mode = "enforce"
	// ModeWarn records what the rule would have done and forwards the call all the same.
	ModeWarn Mode = "warn"
	// ModeOff forwards without looking: calls pass unrecorded, like those of a tool of kind read. Neither the schema nor conditions
	// nor limits hold.
	ModeOff Mode = "off"
)

var modes = []string{string(ModeEnforce), string(ModeWarn), string(ModeOff)}
