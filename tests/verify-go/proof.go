package main

import (
	"bytes"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Section 7: how a proof begins, and bytes of a proof file at most.
const (
	proofHeader = "c2sp.org/tlog-proof@v1\n"
	proofLimit  = 16 << 20
)

// A proof that a record is in a log.
type proof struct {
	body       []byte
	index      int64
	path       tlog.RecordProof
	checkpoint string
}

// verifyProof checks a proof file; its first proof carries the key.
func verifyProof(data []byte, trusted *key, seen [][]byte) (*verdict, error) {
	proofs, err := parseProofs(data)
	if err != nil {
		return nil, err
	}
	for _, p := range proofs {
		if p.checkpoint != proofs[0].checkpoint {
			return nil, refuse("checkpoint", "the proof of record %d has another checkpoint than that of record 0", p.index)
		}
	}
	genesis, err := parseRecord(proofs[0].body)
	if err != nil {
		return nil, err
	}
	if genesis.seq != 0 || string(genesis.ev) != "log.genesis" {
		return nil, refuse("record", "record 0 is not log.genesis")
	}
	k, err := parseKey(string(genesis.vkey), logKey)
	if err != nil {
		return nil, err
	}
	if trusted != nil && trusted.text != k.text {
		return nil, refuse("key", "record 0 names %s, which is not the key that you trust", k.text)
	}
	c, err := openCheckpoint([]byte(proofs[0].checkpoint), []*key{k})
	if err != nil {
		return nil, err
	}
	if _, err := openSeen(seen, k, c.Tree, false); err != nil {
		return nil, err
	}
	var device []byte
	var b beginning
	for _, p := range proofs {
		if err := checkPlace(p.index, p.body, k, &b); err != nil {
			return nil, err
		}
		if p.index > 0 {
			r, _ := parseRecord(p.body)
			if len(r.rid) == 0 || device != nil && !bytes.Equal(device, r.rid) {
				return nil, refuse("record", "record %d is of no device, or of another one", p.index)
			}
			device = r.rid
		}
		if tlog.CheckRecord(p.path, c.N, c.Hash, p.index, tlog.RecordHash(p.body)) != nil {
			return nil, refuse("proof", "record %d is not proven to be in the log of this checkpoint", p.index)
		}
	}
	if err := b.complete(c.N); err != nil {
		return nil, err
	}
	return &verdict{kind: "proof", key: k, checkpoint: c, shown: int64(len(proofs)), seen: len(seen), follows: b.follows}, nil
}

func parseProofs(data []byte) ([]proof, error) {
	text := string(data)
	if len(text) > proofLimit {
		return nil, refuse("file", "it is longer than 16 MiB")
	}
	if !strings.HasPrefix(text, proofHeader) || !strings.HasSuffix(text, "\n") {
		return nil, refuse("file", "it does not begin with %q, or its last line does not end", strings.TrimSpace(proofHeader))
	}
	var proofs []proof
	for _, part := range strings.Split("\n"+strings.TrimSuffix(text, "\n"), "\n"+proofHeader)[1:] {
		// Every part lost its last newline.
		p, ok := parseProof(part + "\n")
		if !ok {
			return nil, refuse("file", "proof %d is not of the form extra, index, hashes, empty line, checkpoint", len(proofs))
		}
		if n := len(proofs); n == 0 && p.index != 0 || n > 0 && p.index <= proofs[n-1].index {
			return nil, refuse("file", "it must begin with record 0, and the others must ascend")
		}
		proofs = append(proofs, p)
	}
	if len(proofs) < 2 {
		return nil, refuse("file", "it shows no record of a device")
	}
	return proofs, nil
}

func parseProof(text string) (p proof, ok bool) {
	head, checkpoint, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 2 || !strings.HasPrefix(lines[0], "extra ") || !strings.HasPrefix(lines[1], "index ") {
		return p, false
	}
	p.checkpoint = checkpoint
	if p.body, ok = base64Of(strings.TrimPrefix(lines[0], "extra ")); !ok {
		return p, false
	}
	if p.index, ok = number(strings.TrimPrefix(lines[1], "index ")); !ok {
		return p, false
	}
	p.path, ok = hashLines(lines[2:])
	return p, ok
}

func hashLines(lines []string) ([]tlog.Hash, bool) {
	hashes := make([]tlog.Hash, len(lines))
	for i, line := range lines {
		raw, ok := base64Of(line)
		if !ok || len(raw) != tlog.HashSize {
			return nil, false
		}
		copy(hashes[i][:], raw)
	}
	return hashes, true
}

func readFiles(names []string) ([][]byte, error) {
	var files [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, usage{err.Error()}
		}
		files = append(files, data)
	}
	return files, nil
}
