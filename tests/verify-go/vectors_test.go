package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

var passed, failed int

// TestMain ends with the counts of single cases.
func TestMain(m *testing.M) {
	code := m.Run()
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	os.Exit(code)
}

// try runs one case, and counts it.
func try(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	if t.Run(name, test) {
		passed++
	} else {
		failed++
	}
}

func vectors(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "vectors", name))
	must(t, err)
	must(t, json.Unmarshal(data, into))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	must(t, err)
	return data
}

func keyOf(t *testing.T, text string, kind byte) *key {
	t.Helper()
	k, err := parseKey(text, kind)
	must(t, err)
	return k
}

// mustRefuse also wants the reason that the vector names; of what cannot be told from an error of the machine it wants that.
func mustRefuse(t *testing.T, err error, part string) {
	t.Helper()
	var r *refusal
	if !errors.As(err, &r) {
		t.Fatalf("not refused: %v", err)
	}
	if r.part != part {
		t.Fatalf("refused for %s, and not for %s: %s", r.part, part, r.why)
	}
}

func TestRecords(t *testing.T) {
	var file struct {
		MustPass []struct{ Name, Body string } `json:"must_pass"`
		MustFail []struct{ Name, Body string } `json:"must_fail"`
	}
	vectors(t, "audit-record.json", &file)
	for _, row := range file.MustPass {
		try(t, row.Name, func(t *testing.T) {
			_, err := parseRecord(unhex(t, row.Body))
			must(t, err)
		})
	}
	for _, row := range file.MustFail {
		try(t, row.Name, func(t *testing.T) {
			_, err := parseRecord(unhex(t, row.Body))
			mustRefuse(t, err, "record")
		})
	}
}

func TestCheckpoints(t *testing.T) {
	var file struct {
		Vkey, Root string
		Size       int64
		MustPass   []struct{ Name, Note string } `json:"must_pass"`
		MustFail   []struct{ Name, Note string } `json:"must_fail"`
	}
	vectors(t, "audit-checkpoint.json", &file)
	keys := []*key{keyOf(t, file.Vkey, logKey)}
	for _, row := range file.MustPass {
		try(t, row.Name, func(t *testing.T) {
			c, err := openCheckpoint([]byte(row.Note), keys)
			must(t, err)
			if hex.EncodeToString(c.Hash[:]) != file.Root || c.N != file.Size && row.Name != "the greatest size" {
				t.Fatal(c)
			}
		})
	}
	for _, row := range file.MustFail {
		try(t, row.Name, func(t *testing.T) {
			_, err := openCheckpoint([]byte(row.Note), keys)
			mustRefuse(t, err, "checkpoint")
		})
	}
}

func TestExample(t *testing.T) {
	var file struct {
		Origin, Vkey, Note     string
		Records, Leaves, Roots []string
	}
	vectors(t, "audit-log.json", &file)
	k := keyOf(t, file.Vkey, logKey)
	var stored hashes
	for seq, body := range file.Records {
		try(t, fmt.Sprintf("record %d", seq), func(t *testing.T) {
			must(t, checkPlace(int64(seq), []byte(body), k, &beginning{}))
			added, err := tlog.StoredHashes(int64(seq), []byte(body), stored)
			must(t, err)
			stored = append(stored, added...)
			if hex.EncodeToString(added[0][:]) != file.Leaves[seq] {
				t.Fatalf("leaf %v", added[0])
			}
			root, err := tlog.TreeHash(int64(seq)+1, stored)
			must(t, err)
			if hex.EncodeToString(root[:]) != file.Roots[seq+1] {
				t.Fatalf("root %v", root)
			}
		})
	}
	try(t, "checkpoint", func(t *testing.T) {
		c, err := openCheckpoint([]byte(file.Note), []*key{k})
		must(t, err)
		if c.N != 5 || hex.EncodeToString(c.Hash[:]) != file.Roots[5] {
			t.Fatal(c)
		}
	})
}

// hashes is a store of package tlog, in memory.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		found = append(found, h[index])
	}
	return found, nil
}

type bundleRow struct {
	Kind, Part, Name, File, Seen string
	Set                          map[string]*string
}

type bundleVectors struct {
	Vkey, Proof      string
	Whole, Selection map[string]*string
	MustPass         []bundleRow `json:"must_pass"`
	MustFail         []bundleRow `json:"must_fail"`
}

// verifyRow writes the bundle or the proof file of a row, and verifies it over the command line.
func (v *bundleVectors) verifyRow(t *testing.T, row bundleRow, trusted bool) error {
	dir := t.TempDir()
	args := []string{"bundle", filepath.Join(dir, "bundle")}
	if row.Kind == "proof" {
		args = []string{"proof", filepath.Join(dir, "proof")}
		must(t, os.WriteFile(args[1], []byte(row.File), 0o600))
	} else {
		files := map[string]map[string]*string{"whole": v.Whole, "selection": v.Selection}[row.Kind]
		for _, set := range []map[string]*string{files, row.Set} {
			for name, data := range set {
				writeOrRemove(t, filepath.Join(args[1], name), name, data)
			}
		}
	}
	if row.Seen != "" {
		must(t, os.WriteFile(filepath.Join(dir, "seen"), []byte(row.Seen), 0o600))
		args = append(args, "--seen", filepath.Join(dir, "seen"))
	}
	if trusted {
		must(t, os.WriteFile(filepath.Join(dir, "vkey"), []byte(v.Vkey), 0o600))
		args = append(args, "--vkey", filepath.Join(dir, "vkey"))
	}
	var out bytes.Buffer
	err := run(args, nil, &out)
	if accepted := strings.HasPrefix(out.String(), "ACCEPTED"); accepted != (err == nil) {
		t.Fatalf("%v, and it prints %s", err, out.String())
	}
	if err == nil && strings.Contains(out.String(), "NOT CHECKED") == trusted {
		t.Fatalf("whose key it is: %s", out.String())
	}
	return err
}

func writeOrRemove(t *testing.T, path, name string, data *string) {
	if data == nil {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return
	}
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	body := []byte(*data)
	if strings.HasPrefix(name, "tile/") {
		body = unhex(t, *data)
	}
	must(t, os.WriteFile(path, body, 0o600))
}

func TestBundles(t *testing.T) {
	var file bundleVectors
	vectors(t, "audit-bundle.json", &file)
	for _, row := range file.MustPass {
		try(t, row.Kind+", "+row.Name, func(t *testing.T) {
			must(t, file.verifyRow(t, row, false))
			must(t, file.verifyRow(t, row, true))
		})
	}
	for _, row := range file.MustFail {
		try(t, row.Kind+", "+row.Name, func(t *testing.T) {
			mustRefuse(t, file.verifyRow(t, row, false), row.Part)
			var r *refusal
			if err := file.verifyRow(t, row, true); !errors.As(err, &r) {
				t.Fatalf("with the right key: %v", err)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	var file struct {
		Log, Witness string
		Time         uint64
		MustPass     []struct {
			Name, Request, Response string
			State                   *string
		} `json:"must_pass"`
		MustFail []struct {
			Why, Name, Request string
			State              *string
		} `json:"must_fail"`
		Clone []struct {
			Name               string
			Checkpoints, Proof []string
		}
	}
	vectors(t, "audit-witness.json", &file)
	log, witness := keyOf(t, file.Log, logKey), keyOf(t, file.Witness, witnessKey)
	bytesOf := func(text *string) []byte {
		if text == nil {
			return nil
		}
		return []byte(*text)
	}
	for _, row := range file.MustPass {
		try(t, row.Name, func(t *testing.T) {
			c, err := verifyRequest([]byte(row.Request), log, witness, bytesOf(row.State), file.Time)
			must(t, err)
			answer, err := openCheckpoint([]byte(row.Response), []*key{log, witness})
			must(t, err)
			last := answer.witnesses[len(answer.witnesses)-1]
			if answer.Tree != c.Tree || last != (signature{witness.Name(), file.Time}) {
				t.Fatal(answer)
			}
		})
	}
	for _, row := range file.MustFail {
		try(t, row.Name, func(t *testing.T) {
			at := file.Time
			if row.Why == "clock" {
				at--
			}
			_, err := verifyRequest([]byte(row.Request), log, witness, bytesOf(row.State), at)
			mustRefuse(t, err, row.Why)
		})
	}
	for i, row := range file.Clone {
		try(t, row.Name, func(t *testing.T) {
			proof, ok := hashLines(row.Proof)
			if !ok {
				t.Fatal("no proof")
			}
			part := []string{"two-logs", "proof"}[i]
			mustRefuse(t, compare([]byte(row.Checkpoints[0]), []byte(row.Checkpoints[1]), log, proof), part)
		})
	}
	try(t, "what a proof leads to is one log", func(t *testing.T) {
		r, err := parseRequest([]byte(file.MustPass[1].Request))
		must(t, err)
		must(t, compare([]byte(r.checkpoint), []byte(*file.MustPass[1].State), log, r.proof))
		mustRefuse(t, compare([]byte(r.checkpoint), []byte(*file.MustPass[1].State), log, nil), "proof")
		must(t, compare([]byte(r.checkpoint), []byte(r.checkpoint), log, nil))
	})
}
