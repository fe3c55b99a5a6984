package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rolecall/rolecall/apply"
)

// The exit statuses, one meaning each for every command. Where several apply,
// the one that comes first in precedence is returned.
const (
	exitOK           = 0   // done, or nothing to do
	exitError        = 1   // usage, configuration or API
	exitDifferences  = 2   // there are differences
	exitBlocked      = 3   // a guard, a failed test, a finding of severity error
	exitWaiting      = 4   // waiting for a console step
	exitUndetermined = 5   // a degraded read touches what was asked
	exitStale        = 6   // the plan no longer fits the live state
	exitDeadline     = 7   // deadline reached, safe to continue
	exitInterrupted  = 130 // interrupted
)

// precedence says which status is returned where several apply, first first.
var precedence = []int{exitInterrupted, exitError, exitStale, exitUndetermined, exitBlocked, exitDeadline, exitWaiting, exitDifferences, exitOK}

// statuses is the part of the help that lists the exit statuses.
const statuses = `EXIT STATUS
   0  done, or nothing to do
   1  error: usage, configuration, API
   2  there are differences (drift, plan --detailed-exitcode)
   3  blocked: a guard, or a finding of severity error
   4  waiting for a console step
   5  undetermined: something that was asked about could not be read
   6  stale: the plan no longer fits the live organization
   7  deadline reached, safe to continue
   130  interrupted
   Where several apply: 130, 1, 6, 5, 3, 7, 4, 2, 0.
`

// A statusError is an error with an exit status of its own.
type statusError struct {
	code int
	err  error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// status returns an error that exits with code and says nothing more.
func status(code int) error {
	if code == exitOK {
		return nil
	}
	return &statusError{code: code}
}

// exitCode returns the status of an error: of those that apply, the one that
// comes first in precedence.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	applies := map[int]bool{
		exitInterrupted: errors.Is(err, context.Canceled),
		exitDeadline:    errors.Is(err, apply.ErrDeadline),
		exitStale:       errors.Is(err, apply.ErrStale),
		exitWaiting:     errors.Is(err, apply.ErrConsole),
	}
	var s *statusError
	if errors.As(err, &s) {
		applies[s.code] = true
	}
	for _, code := range precedence {
		if applies[code] {
			return code
		}
	}
	return exitError
}

// usage returns an error about how the command was called.
func usage(format string, args ...any) error {
	return fmt.Errorf("%s; see -h", strings.TrimSpace(fmt.Sprintf(format, args...)))
}
