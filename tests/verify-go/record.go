package main

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// Section 1 of docs/audit-format.md: bytes of a record, and its greatest number.
const (
	recordLimit = 4096
	numberLimit = 1<<53 - 1
)

// common are the fields of every record, as they stand: in the order of their bytes.
var common = [...]string{"boot", "ev", "log", "mono", "op", "op2", "rc", "role", "seq", "ses", "t", "v"}

// A field is the value of a key: a text as it stands, escapes and all, or a number.
type field struct {
	text   []byte
	number int64
	isText bool
}

// A record is what a verifier needs of one. A canonical text has one spelling, so texts can be compared as they stand.
type record struct {
	seq       int64
	log, ev   []byte
	vkey, rid []byte
}

// parseRecord reads a record in one pass and refuses every spelling but the canonical one.
func parseRecord(body []byte) (record, error) {
	var r record
	if len(body) < 2 || len(body) > recordLimit {
		return r, refuse("record", "it has %d bytes, a record has 2 to %d", len(body), recordLimit)
	}
	if !utf8.Valid(body) {
		return r, refuse("record", "it is not UTF-8")
	}
	var found [len(common)]field
	known := 0
	s := scanner{body: body}
	var before []byte
	s.expect('{')
	for first := true; !s.failed && (first || s.peek() == ','); first = false {
		if !first {
			s.at++
		}
		key := s.key()
		s.expect(':')
		value := s.value()
		if s.failed {
			break
		}
		if !first && bytes.Compare(before, key) >= 0 {
			return r, refuse("record", "its key %s is out of order or stands twice", key)
		}
		before = key
		switch {
		case known < len(common) && string(key) == common[known]:
			found[known] = value
			known++
		case string(key) == "vkey" && value.isText:
			r.vkey = value.text
		case string(key) == "rid" && value.isText:
			r.rid = value.text
		}
	}
	s.expect('}')
	if s.failed || s.at != len(body) {
		return r, refuse("record", "byte %d of it is not canonical JSON", s.at)
	}
	if known < len(common) {
		return r, refuse("record", "its field %s is missing", common[known])
	}
	for i, value := range found {
		if !holds(common[i], value) {
			return r, refuse("record", "its field %s has a value that it cannot have", common[i])
		}
		switch common[i] {
		case "seq":
			r.seq = value.number
		case "log":
			r.log = value.text
		case "ev":
			r.ev = value.text
		}
	}
	return r, nil
}

// holds: the table of section 1.
func holds(key string, value field) bool {
	switch key {
	case "v":
		return !value.isText && value.number == 1
	case "seq", "mono":
		return !value.isText && value.number >= 0
	}
	if !value.isText {
		return false
	}
	switch text := value.text; key {
	case "log":
		return isOriginCached(text)
	case "boot":
		return isBoot(text)
	case "t":
		return isTime(text)
	case "ev":
		for _, part := range bytes.Split(text, []byte(".")) {
			if len(part) == 0 || !all(part, isLower) {
				return false
			}
		}
	case "rc":
		return all(text, func(c byte) bool { return isLower(c) || c == '_' })
	}
	return true
}

// lastOrigin spares the regular expression for a log in which every record has the same origin.
var lastOrigin string

func isOriginCached(text []byte) bool {
	if string(text) != lastOrigin {
		if !isOrigin(string(text)) {
			return false
		}
		lastOrigin = string(text)
	}
	return true
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c && c <= 'f' }

func all(text []byte, is func(byte) bool) bool {
	for _, c := range text {
		if !is(c) {
			return false
		}
	}
	return true
}

// isBoot: a UUID in lower case.
func isBoot(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !isHex(c) {
			return false
		}
	}
	return true
}

// isTime: YYYY-MM-DDThh:mm:ss.sssZ. Package time refuses days that no month has, and second 60.
func isTime(text []byte) bool {
	const form = "0000-00-00T00:00:00.000Z"
	if len(text) != len(form) {
		return false
	}
	for i, c := range text {
		if form[i] == '0' && !isDigit(c) || form[i] != '0' && c != form[i] {
			return false
		}
	}
	_, err := time.Parse("2006-01-02T15:04:05.000Z", string(text))
	return err == nil
}

// A scanner reads canonical JSON. After the first byte that does not fit it has failed, and stands there.
type scanner struct {
	body   []byte
	at     int
	failed bool
}

func (s *scanner) peek() byte {
	if s.at < len(s.body) {
		return s.body[s.at]
	}
	return 0 // which has no place outside of a text either
}

func (s *scanner) expect(c byte) {
	if s.failed || s.peek() != c {
		s.failed = true
		return
	}
	s.at++
}

func (s *scanner) key() []byte {
	s.expect('"')
	start := s.at
	for c := s.peek(); isLower(c) || s.at > start && (isDigit(c) || c == '_'); c = s.peek() {
		s.at++
	}
	key := s.body[start:s.at]
	s.failed = s.failed || len(key) == 0
	s.expect('"')
	return key
}

func (s *scanner) value() field {
	if s.failed {
		return field{}
	}
	if s.peek() == '"' {
		return field{text: s.text(), isText: true}
	}
	return field{number: s.number()}
}

func (s *scanner) number() int64 {
	start := s.at
	if s.peek() == '-' {
		s.at++
	}
	first := s.at
	var number int64
	for ; isDigit(s.peek()) && s.at-first < 17; s.at++ {
		number = 10*number + int64(s.peek()-'0')
	}
	leadingZero := s.body[first:s.at][:min(1, s.at-first)]
	if s.at == first || number > numberLimit ||
		string(leadingZero) == "0" && (s.at-first > 1 || first > start) {
		s.failed = true
	}
	if first > start {
		return -number
	}
	return number
}

func (s *scanner) text() []byte {
	s.expect('"')
	start := s.at
	for s.at < len(s.body) {
		switch c := s.body[s.at]; {
		case c == '"':
			s.at++
			return s.body[start : s.at-1]
		case c == '\\':
			if n := escape(s.body[s.at:]); n > 0 {
				s.at += n
				continue
			}
			s.failed = true
			return nil
		case c < 0x20, c == 0x7f, c == 0xc2 && s.body[s.at+1] < 0xa0: // U+0080 to U+009F; it is valid UTF-8
			s.failed = true
			return nil
		default:
			s.at++
		}
	}
	s.failed = true
	return nil
}

// escape is the length of the escape that text begins with, 0 if it is none that is allowed.
func escape(text []byte) int {
	if len(text) >= 2 && (text[1] == '"' || text[1] == '\\') {
		return 2
	}
	if len(text) < 6 || string(text[1:4]) != "u00" || !isHex(text[4]) || !isHex(text[5]) {
		return 0
	}
	if high, low := text[4], text[5]; high < '2' || high == '7' && low == 'f' || high == '8' || high == '9' {
		return 6
	}
	return 0
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
