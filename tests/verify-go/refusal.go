package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// A refusal says what is wrong with what was given, in one sentence. part is the name that the vectors in tests/vectors
// have for it: key, checkpoint, witness, seen, file, record, tree or proof; for a request to a witness the reason.
type refusal struct{ part, why string }

func (r *refusal) Error() string { return r.part + ": " + r.why }

func refuse(part, format string, values ...any) error {
	return &refusal{part, printable(fmt.Sprintf(format, values...))}
}

// printable escapes what a terminal would obey or turn around: names come from whoever made the files.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// under gives err the name of another part: what is wrong with a checkpoint that was seen is wrong with what was seen.
func under(part string, err error) error {
	var r *refusal
	if errors.As(err, &r) {
		return &refusal{part, r.why}
	}
	return err
}
