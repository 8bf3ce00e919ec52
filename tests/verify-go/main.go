// Command keylog-verify verifies what a Keystation writes down, without any code of it: written from docs/audit-format.md alone.
// The tree and the keys are those of golang.org/x/mod/sumdb, the packages of Go's own checksum database.
//
// It exits with 0 if what it was given is accepted, 1 if it is refused, and 2 if it was called wrongly or could not read.
package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const help = `usage:
  keylog-verify bundle DIR [--vkey FILE] [--seen NOTE]...
  keylog-verify proof FILE [--vkey FILE] [--seen NOTE]...
  keylog-verify compare NOTE NOTE --vkey FILE [--proof FILE]
  keylog-verify request FILE --vkey FILE --witness FILE [--state NOTE] [--time SECONDS]
  keylog-verify batch < LINES

Without --vkey the key that is found is printed: compare it with the one that you know.
A line of batch is bundle or proof, DIR or FILE, the --vkey FILE or -, and --seen NOTEs, all with tabs between them; or record
and the bytes of one record in hexadecimal; or note, the bytes of one checkpoint, and the vkey that has to have signed it.
`

// usage is an error of whoever called.
type usage struct{ why string }

func (u usage) Error() string { return u.why }

type names []string

func (n *names) String() string { return strings.Join(*n, " ") }
func (n *names) Set(name string) error {
	*n = append(*n, name)
	return nil
}

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	var r *refusal
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(help)
	case errors.As(err, &r):
		fmt.Printf("REFUSED (%s): %s\n", r.part, r.why)
		os.Exit(1)
	default:
		fmt.Fprintf(os.Stderr, "%v\n\n%s", err, help)
		os.Exit(2)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return usage{"no command"}
	}
	var vkey, witness, state, proof string
	var seen names
	at := uint64(time.Now().Unix())
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&vkey, "vkey", "", "")
	flags.Var(&seen, "seen", "")
	flags.StringVar(&witness, "witness", "", "")
	flags.StringVar(&state, "state", "", "")
	flags.StringVar(&proof, "proof", "", "")
	flags.Uint64Var(&at, "time", at, "")
	// Package flag stops at the first word that is no flag.
	var words []string
	for rest := args[1:]; len(rest) > 0; {
		if err := flags.Parse(rest); err != nil {
			return err
		}
		if rest = flags.Args(); len(rest) > 0 {
			words, rest = append(words, rest[0]), rest[1:]
		}
	}
	switch command := args[0]; {
	case (command == "bundle" || command == "proof") && len(words) == 1:
		v, err := verify(command, words[0], vkey, seen)
		if err == nil {
			report(out, v, vkey != "")
		}
		return err
	case command == "compare" && len(words) == 2 && vkey != "":
		return runCompare(words, vkey, proof, out)
	case command == "request" && len(words) == 1 && vkey != "" && witness != "":
		return runRequest(words[0], vkey, witness, state, at, out)
	case command == "batch" && len(words) == 0:
		return batch(in, out)
	case command == "help" || command == "--help" || command == "-h":
		return flag.ErrHelp
	}
	return usage{"wrong command, or wrong number of names"}
}

// verify reads what is named and checks it.
func verify(kind, name, vkey string, seen []string) (*verdict, error) {
	var trusted *key
	if vkey != "" {
		var err error
		if trusted, err = userKey(vkey, logKey); err != nil {
			return nil, err
		}
	}
	notes, err := readFiles(seen)
	if err != nil {
		return nil, err
	}
	if kind == "bundle" {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			return nil, usage{name + " is no folder"}
		}
		return verifyBundle(name, trusted, notes)
	}
	if info, err := os.Stat(name); err == nil && info.Size() > proofLimit {
		return nil, refuse("file", "it is longer than 16 MiB")
	}
	files, err := readFiles([]string{name})
	if err != nil {
		return nil, err
	}
	return verifyProof(files[0], trusted, notes)
}

func report(out io.Writer, v *verdict, trusted bool) {
	c := v.checkpoint
	fmt.Fprintf(out, "ACCEPTED: %s\n", map[string]string{
		"whole":     "the whole log, every record of it",
		"selection": "each of the records that are shown is in the log; it is not proven that none was left out",
		"proof":     "each of the records of the device is in the log; it is not proven that there are no more",
	}[v.kind])
	fmt.Fprintf(out, "  log        %s\n  records    %d, of which %d are here\n  root       %s\n",
		v.key.Name(), c.N, v.shown, c.Hash)
	if v.follows != "" {
		fmt.Fprintf(out, "  follows    %s\n", printable(v.follows))
	}
	for _, s := range c.witnesses {
		fmt.Fprintf(out, "  witness    %s, %s\n", printable(s.name), time.Unix(int64(s.time), 0).UTC().Format(time.RFC3339))
	}
	fmt.Fprintf(out, "  held against %d checkpoints that were seen before\n", v.seen)
	fmt.Fprintf(out, "  key        %s\n", v.key.text)
	if !trusted {
		fmt.Fprintln(out, "  NOT CHECKED whose key that is: compare it with the one that you know, or give --vkey")
	}
}

func runCompare(words []string, vkey, proofName string, out io.Writer) error {
	k, err := userKey(vkey, logKey)
	if err != nil {
		return err
	}
	if proofName != "" {
		words = append(words, proofName)
	}
	files, err := readFiles(words)
	if err != nil {
		return err
	}
	var proof tlog.TreeProof
	if proofName != "" {
		var ok bool
		if proof, ok = hashLines(strings.Split(strings.TrimSuffix(string(files[2]), "\n"), "\n")); !ok {
			return refuse("proof", "%s is not Base64 of hashes, one a line", proofName)
		}
	}
	if err := compare(files[0], files[1], k, proof); err != nil {
		return err
	}
	fmt.Fprintln(out, "ACCEPTED: one log, of which the one checkpoint has all records that the other has")
	return nil
}

func runRequest(name, vkey, witnessName, state string, at uint64, out io.Writer) error {
	k, err := userKey(vkey, logKey)
	if err != nil {
		return err
	}
	w, err := userKey(witnessName, witnessKey)
	if err != nil {
		return err
	}
	files, err := readFiles([]string{name})
	if err != nil {
		return err
	}
	states := [][]byte{nil}
	if state != "" {
		if states, err = readFiles([]string{state}); err != nil {
			return err
		}
	}
	c, err := verifyRequest(files[0], k, w, states[0], at)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "ACCEPTED: a witness must cosign %d records with the root %s\n", c.N, c.Hash)
	return nil
}

// batch answers each line with `accepted`, or `refused`, the part and the sentence, so that a test needs no process for each.
func batch(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.Split(lines.Text(), "\t")
		var err error
		switch {
		case len(words) == 2 && words[0] == "record":
			var body []byte
			if body, err = hex.DecodeString(words[1]); err == nil {
				_, err = parseRecord(body)
			}
		case len(words) == 3 && words[0] == "note":
			var k *key
			var data []byte
			if data, err = hex.DecodeString(words[1]); err == nil {
				if k, err = parseKey(words[2], logKey); err == nil {
					_, err = openCheckpoint(data, []*key{k})
				}
			}
		case len(words) >= 3 && (words[0] == "bundle" || words[0] == "proof"):
			_, err = verify(words[0], words[1], strings.TrimSuffix(words[2], "-"), words[3:])
		default:
			return usage{"a line of batch is malformed"}
		}
		var r *refusal
		switch {
		case err == nil:
			fmt.Fprintln(out, "accepted")
		case errors.As(err, &r):
			fmt.Fprintf(out, "refused\t%s\t%s\n", r.part, r.why)
		default:
			return err
		}
	}
	return lines.Err()
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
