package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/seal"
)

// Exit codes of every command.
const (
	exitDone  = 0
	exitNo    = 1 // the command ran and the answer is no
	exitUsage = 2 // wrong use or bad input
	exitAway  = 3 // a needed service is away
)

// errNo ends a command whose answer is no and is already printed.
var errNo = errors.New("no")

// refuse is an error of use or input: exit code 2.
func refuse(code, sentence, hint string) *pipeline.Error {
	return &pipeline.Error{Code: code, Sentence: sentence, Hint: hint, Permanent: true, Exit: exitUsage}
}

// decline is an answer of no that needs a sentence: exit code 1.
func decline(code, sentence, hint string) *pipeline.Error {
	return &pipeline.Error{Code: code, Sentence: sentence, Hint: hint, Permanent: true, Exit: exitNo}
}

// exitCode is what the process ends with because of err.
func exitCode(err error) int {
	var own *pipeline.Error
	var spec *pipeline.SpecError
	var key *seal.Error
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errNo):
		return exitNo
	case errors.As(err, &own) && own.Exit != 0:
		return own.Exit
	case errors.Is(err, pipeline.ErrAway):
		return exitAway
	case errors.As(err, &spec), errors.As(err, &key), errors.Is(err, fs.ErrNotExist):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitNo
	}
	return exitNo
}

// explained returns err as something a person can read: conditions that packages
// share get a sentence and a hint here, once.
func explained(err error) *pipeline.Error {
	if own, ok := errors.AsType[*pipeline.Error](err); ok {
		return own
	}
	if spec, ok := errors.AsType[*pipeline.SpecError](err); ok {
		return &pipeline.Error{Code: "campaign-file", Sentence: "these settings of the campaign have faults", Cause: spec, Hint: "README.md explains every key", Exit: exitUsage}
	}
	if key, ok := errors.AsType[*seal.Error](err); ok {
		return &pipeline.Error{Code: key.Code, Sentence: key.Sentence, Hint: key.Hint, Permanent: true, Exit: exitUsage}
	}
	e := &pipeline.Error{Code: "error", Sentence: err.Error()}
	switch {
	case errors.Is(err, pipeline.ErrAway):
		e.Code, e.Hint = "away", "nothing was changed; try again when the service is back"
	case errors.Is(err, pipeline.ErrNotFound):
		e.Code = "not-found"
	case errors.Is(err, pipeline.ErrConflict):
		e.Code, e.Hint = "conflict", "art34 status says in which state it is"
	case errors.Is(err, pipeline.ErrStale):
		e.Code, e.Hint = "stale", "somebody else changed it at the same time; look again and repeat the command"
	case errors.Is(err, context.Canceled):
		e.Code, e.Sentence = "interrupted", "interrupted"
	}
	return e
}
