package main

import (
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A request to a witness to cosign a checkpoint: section 8.
type request struct {
	old        int64
	proof      tlog.TreeProof
	checkpoint string
}

func parseRequest(data []byte) (request, error) {
	var r request
	form := refuse("form", "it is not of the form old, hashes, empty line, checkpoint")
	head, rest, ok := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || rest == "" || !strings.HasPrefix(lines[0], "old ") || len(lines) > 1+63 {
		return r, form
	}
	if r.old, ok = number(strings.TrimPrefix(lines[0], "old ")); !ok {
		return r, form
	}
	if r.proof, ok = hashLines(lines[1:]); !ok {
		return r, form
	}
	r.checkpoint = rest
	return r, nil
}

// verifyRequest tells whether a witness that remembers the note state (nil: nothing) must cosign at a time, in seconds since
// 1970. Its refusals have the names of tests/vectors/audit-witness.json, and come in the order of the document.
func verifyRequest(data []byte, log, witness *key, state []byte, time uint64) (checkpoint, error) {
	r, err := parseRequest(data)
	if err != nil {
		return checkpoint{}, err
	}
	if origin, _, _ := strings.Cut(r.checkpoint, "\n"); origin != log.Name() {
		return checkpoint{}, refuse("unknown", "it is of the log %q, which this witness does not watch", origin)
	}
	c, err := openCheckpoint([]byte(r.checkpoint), []*key{log, witness})
	if err != nil {
		if part := err.(*refusal).part; part == "witness" {
			return c, under("cosignature", err)
		}
		return c, err
	}
	var remembered checkpoint
	if state != nil {
		if remembered, err = openCheckpoint(state, []*key{log, witness}); err != nil {
			return c, under("state", err)
		}
	}
	var last uint64
	for _, s := range remembered.witnesses {
		if s.time > last {
			last = s.time
		}
	}
	switch {
	case len(c.witnesses) > 0 && c.N > remembered.N:
		return c, refuse("rolled-back", "the witness cosigned %d records and remembers %d: its memory is an older copy", c.N, remembered.N)
	case c.N < remembered.N:
		return c, refuse("smaller", "the witness cosigned %d records already, and this is %d", remembered.N, c.N)
	case c.N == remembered.N && c.Hash != remembered.Hash:
		return c, refuse("forked", "the witness cosigned another log of %d records", c.N)
	case time < last:
		return c, refuse("clock", "the last cosignature is of a later time")
	case r.old != remembered.N:
		return c, refuse("conflict", "the witness remembers %d records, not %d", remembered.N, r.old)
	}
	return c, verifyGrowth(remembered.Tree, c.Tree, r.proof)
}

// verifyGrowth tells whether the one tree grew out of the other: RFC 6962, section 2.1.2.
func verifyGrowth(old, new tlog.Tree, proof tlog.TreeProof) error {
	if old.N == 0 {
		if len(proof) > 0 {
			return refuse("proof", "there is nothing to prove, and there are hashes")
		}
		return nil
	}
	if tlog.CheckTree(proof, new.N, new.Hash, old.N, old.Hash) != nil {
		return refuse("proof", "it is not proven that the log of %d records grew out of that of %d", new.N, old.N)
	}
	return nil
}

// compare holds two checkpoints of one log against each other: section 8, "Two logs of one origin".
func compare(a, b []byte, k *key, proof tlog.TreeProof) error {
	less, err := openCheckpoint(a, []*key{k})
	if err != nil {
		return err
	}
	more, err := openCheckpoint(b, []*key{k})
	if err != nil {
		return err
	}
	if less.N > more.N {
		less, more = more, less
	}
	switch {
	case less.N == more.N && less.Hash != more.Hash:
		return refuse("two-logs", "one key signed two logs of %d records", less.N)
	case less.N < more.N && proof == nil:
		return refuse("proof", "without a proof two checkpoints of %d and %d records cannot be compared", less.N, more.N)
	}
	return verifyGrowth(less.Tree, more.Tree, proof)
}
