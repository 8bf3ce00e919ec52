package main

import (
	"errors"
	"fmt"
)

// A refusal says what is wrong with what was given, in one sentence. part is the name that the vectors in tests/vectors
// have for it: key, checkpoint, witness, seen, file, record, tree or proof; for a request to a witness the reason.
type refusal struct{ part, why string }

func (r *refusal) Error() string { return r.part + ": " + r.why }

func refuse(part, format string, values ...any) error {
	return &refusal{part, fmt.Sprintf(format, values...)}
}

// under gives err the name of another part: what is wrong with a checkpoint that was seen is wrong with what was seen.
func under(part string, err error) error {
	var r *refusal
	if errors.As(err, &r) {
		return &refusal{part, r.why}
	}
	return err
}
