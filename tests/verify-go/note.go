package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Bytes of a note at most.
const noteLimit = 16 << 10

// The types of keys: Ed25519 of a log, and Ed25519 with a time of a witness.
const (
	logKey     = 1
	witnessKey = 4
)

// A key is a public key with its name; text is its only spelling.
type key struct {
	text string
	note.Verifier
	kind byte
}

// parseKey reads a vkey of one kind. An ID in capitals or Base64 with stray bits would be another spelling.
func parseKey(text string, kind byte) (*key, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || !isName(parts[0]) || len(parts[1]) != 8 || !all([]byte(parts[1]), isHex) {
		return nil, refuse("key", "%.40q is not of the form <name>+<key ID>+<Base64>", text)
	}
	raw, ok := base64Of(parts[2])
	if !ok || len(raw) != 33 || raw[0] != kind {
		return nil, refuse("key", "the key of %s is not an Ed25519 key of type %02d", parts[0], kind)
	}
	if kind == logKey {
		if !isOrigin(parts[0]) {
			return nil, refuse("key", "%s is no name of a log", parts[0])
		}
		verifier, err := note.NewVerifier(text)
		if err != nil {
			return nil, refuse("key", "the key ID of %s does not belong to its name and key", parts[0])
		}
		return &key{text, verifier, kind}, nil
	}
	w := witness{parts[0], keyHash(parts[0], raw), ed25519.PublicKey(raw[1:])}
	if fmt.Sprintf("%08x", w.hash) != parts[1] {
		return nil, refuse("key", "the key ID of %s does not belong to its name and key", parts[0])
	}
	return &key{text, w, kind}, nil
}

// A witness verifies a signature with a time in front (https://c2sp.org/tlog-cosignature), which package note does not know.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(text, value []byte) bool {
	if len(value) != 8+ed25519.SignatureSize {
		return false
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(value), text)
	return ed25519.Verify(w.key, []byte(message), value[8:])
}

func keyHash(name string, raw []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	return binary.BigEndian.Uint32(sum[:])
}

// keyFile reads a file of vkeys: lines, each ended by a newline.
func keyFile(path string, kind byte) ([]*key, error) {
	data, err := readRegular(path, 1<<20)
	if err != nil {
		return nil, under("key", err)
	}
	var keys []*key
	for len(data) > 0 {
		line, rest, ended := bytes.Cut(data, []byte("\n"))
		if !ended {
			return nil, refuse("key", "the last line of %s does not end", path)
		}
		k, err := parseKey(string(line), kind)
		if err != nil {
			return nil, err
		}
		keys, data = append(keys, k), rest
	}
	return keys, nil
}

// userKey reads the file of the key that the user trusts, with or without a newline at its end.
func userKey(path string, kind byte) (*key, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usage{err.Error()}
	}
	k, err := parseKey(strings.TrimSuffix(string(data), "\n"), kind)
	if err != nil {
		return nil, usage{path + ": " + err.Error()}
	}
	return k, nil
}

// A signature of a witness that was checked.
type signature struct {
	name string
	time uint64
}

// openNote checks every line of every key in keys, and that the first of them, the log's, has signed. It gives back the text.
func openNote(data []byte, keys []*key) (string, []signature, error) {
	malformed := func(why string) error { return refuse("checkpoint", "it is not a signed note: %s", why) }
	if len(data) > noteLimit {
		return "", nil, malformed("it is too long")
	}
	if !utf8.Valid(data) || bytes.IndexFunc(data, func(r rune) bool { return r < 0x20 && r != '\n' }) >= 0 {
		return "", nil, malformed("it holds what is no text")
	}
	blank := bytes.LastIndex(data, []byte("\n\n"))
	if blank < 0 || data[len(data)-1] != '\n' || blank+2 == len(data) {
		return "", nil, malformed("there is no signature line behind an empty line")
	}
	text := data[:blank+1]
	signed := false
	var witnesses []signature
	for _, line := range strings.Split(string(data[blank+2:len(data)-1]), "\n") {
		name, encoded, ok := strings.Cut(strings.TrimPrefix(line, "— "), " ")
		raw, canonical := base64Of(encoded)
		if !ok || !strings.HasPrefix(line, "— ") || !isName(name) || !canonical || len(raw) < 5 {
			return "", nil, malformed("a signature line is malformed")
		}
		id, value := binary.BigEndian.Uint32(raw), raw[4:]
		for i, k := range keys {
			if k.Name() != name || k.KeyHash() != id {
				continue
			}
			part := map[bool]string{true: "checkpoint", false: "witness"}[i == 0]
			if !k.Verify(text, value) {
				return "", nil, refuse(part, "the signature of %s does not belong to its text", name)
			}
			if i == 0 {
				signed = true
			}
			if k.kind == witnessKey {
				witnesses = append(witnesses, signature{name, binary.BigEndian.Uint64(value)})
			}
		}
	}
	if !signed {
		return "", nil, refuse("checkpoint", "it is not signed by the key %s", keys[0].text)
	}
	return string(text), witnesses, nil
}

// A checkpoint is what a log committed itself to: its first size records.
type checkpoint struct {
	tlog.Tree
	witnesses []signature
}

// openCheckpoint: section 3. keys are that of the log and those of witnesses.
func openCheckpoint(data []byte, keys []*key) (checkpoint, error) {
	var c checkpoint
	text, witnesses, err := openNote(data, keys)
	if err != nil {
		return c, err
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 4 {
		return c, refuse("checkpoint", "its text has not exactly three lines")
	}
	if lines[0] != keys[0].Name() {
		return c, refuse("checkpoint", "it is of the log %q, and its key is of %s", lines[0], keys[0].Name())
	}
	size, ok := number(lines[1])
	if !ok || size == 0 {
		return c, refuse("checkpoint", "%q is no number of records", lines[1])
	}
	root, ok := base64Of(lines[2])
	if !ok || len(root) != tlog.HashSize {
		return c, refuse("checkpoint", "its root is not Base64 of 32 bytes")
	}
	c.N, c.witnesses = size, witnesses
	copy(c.Hash[:], root)
	return c, nil
}

// number reads a decimal number of 0 to 2^53 - 1 in its only spelling.
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && 0 <= n && n <= numberLimit && strconv.FormatInt(n, 10) == text
}

// base64Of decodes Base64 in its only spelling: package base64 passes over newlines and over bits behind the last byte.
func base64Of(text string) ([]byte, bool) {
	raw, err := base64.StdEncoding.DecodeString(text)
	return raw, err == nil && base64.StdEncoding.EncodeToString(raw) == text
}

// isName: https://c2sp.org/signed-note.
func isName(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '+' }) < 0
}
