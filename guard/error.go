package guard

import (
	"errors"
	"fmt"
	"time"
)

// ErrorCode classifies an Error. Codes are part of the API: they are never renamed.
type ErrorCode string

// The codes.
const (
	CodeInvalid     ErrorCode = "invalid"     // the request cannot be understood; Field names the place
	CodeForbidden   ErrorCode = "forbidden"   // the principal may not do this
	CodeNotFound    ErrorCode = "not_found"   // no such effect in this tenant, or not for this principal
	CodeConflict    ErrorCode = "conflict"    // the state is another than the request supposes
	CodeStaleFence  ErrorCode = "stale_fence" // somebody else has decided or claimed since
	CodeSelfReview  ErrorCode = "self_review" // nobody decides on a call of their own
	CodeUnavailable ErrorCode = "unavailable" // the ledger does not answer; nothing was sent
	CodeDraining    ErrorCode = "draining"    // this server is shutting down; nothing was sent
	CodeBusy        ErrorCode = "busy"        // too many calls wait; nothing was sent
	CodeUncertain   ErrorCode = "uncertain"   // a write may or may not have been made
	CodeCorrupt     ErrorCode = "corrupt"     // a record does not verify: nothing is answered from it
	CodeOldBook     ErrorCode = "old_book"    // a claim whose caller does not know the newest edition of some rule; never leaves the guard
	CodeInternal    ErrorCode = "internal"    // a defect of the guard
)

// Error is the one error type of the guard and its stores and forwarders.
type Error struct {
	Code    ErrorCode
	Op      string  // what was being done, such as "claim"
	Field   string  // JSON pointer of the offending field, for CodeInvalid
	Message string  // one sentence for the caller; holds no argument value
	Effect  *Effect // the effect as it stands, for CodeConflict and CodeStaleFence
	Retry   time.Duration
	Err     error // the cause, for logs only
}

func (e *Error) Error() string {
	s := e.Message
	if s == "" {
		s = string(e.Code)
	}
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Err != nil {
		s = fmt.Sprintf("%s: %v", s, e.Err)
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of err: CodeInternal for an error that is not an *Error, "" for nil.
func CodeOf(err error) ErrorCode {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
