package main

import (
	"bytes"
	"strings"
)

// A beginning holds what an epoch took over from the one before to its place: section 4, "What an epoch takes over". It is told
// of record 0 and then of others, ascending; not of all.
type beginning struct {
	follows string // what record 0 says of the log before, for people; empty where there was none
	carried int64
	before  *carriedBy
}

// carriedBy is what carried records ascend by.
type carriedBy struct {
	ev, whose []byte
	was       int64
}

func (b *beginning) check(r record, body []byte) error {
	if r.seq == 0 {
		return b.open(ownFields(body))
	}
	carries := bytes.HasPrefix(r.ev, []byte("carry."))
	if carries != (r.seq <= b.carried) {
		return refuse("record", "record %d is %s, and records 1 to %d carry over what the epoch took over, no other does", r.seq, r.ev, b.carried)
	}
	if !carries {
		return nil
	}
	own := ownFields(body)
	this := &carriedBy{ev: r.ev, was: own["was"].number}
	numbers, texts := []string{"was"}, []string{}
	switch string(r.ev) {
	case "carry.account":
		this.whose, this.was = own["user"].text, 0
		numbers, texts = append(numbers, "cred", "tries", "active", "once"), append(texts, "user")
	case "carry.key":
		this.whose, this.was = own["gk"].text, 0
		texts = append(texts, "gk", "state")
	case "carry.component":
	case "carry.device":
		texts = append(texts, "how", "rid", "mac", "sn")
	default:
		return nil // of a later program
	}
	for _, key := range numbers {
		value, ok := own[key]
		flag := key == "active" || key == "once"
		if !ok || value.isText || value.number < 0 || flag && value.number > 1 {
			return refuse("record", "record %d carries something over without a number %s that it can have", r.seq, key)
		}
	}
	for _, key := range texts {
		if !own[key].isText {
			return refuse("record", "record %d carries something over without a text %s", r.seq, key)
		}
	}
	if cloud, says := own["cloud"]; says && string(r.ev) == "carry.device" &&
		(!cloud.isText || string(cloud.text) != "none" && string(cloud.text) != "listed" && string(cloud.text) != "done") {
		return refuse("record", "record %d does not say what a list has of its device", r.seq)
	}
	if state := string(own["state"].text); this.isKey() && state != "imported" && state != "active" && state != "suspended" && state != "destroyed" {
		return refuse("record", "record %d carries a key over in a state that no key has", r.seq)
	}
	if b.before != nil && !b.before.less(this) {
		return refuse("record", "record %d carries something over out of order, or twice", r.seq)
	}
	b.before = this
	return nil
}

// open reads what record 0 says.
func (b *beginning) open(own map[string]field) error {
	carried, ok := own["carried"]
	if prev := own["prev"].text; len(prev) > 0 {
		b.follows = string(prev) + ", of which it took NOTHING over: accounts, keys and components began anew"
		if carried.number > 0 {
			b.follows = string(prev) + ", of which it took " + itoa(carried.number) + " accounts, components and keys over"
		}
		if string(own["role"].text) == "unproven" {
			b.follows += "; NOBODY PROVED who began it"
		}
	}
	if !ok {
		return nil // it follows no log, or an older program wrote it
	}
	root := own["carried_root"].text
	named := len(own["prev"].text) > 0 && !own["carried_size"].isText && own["carried_size"].number > 0 && len(root) == 64 && all(root, isHex)
	if carried.isText || carried.number < 0 || carried.number > 0 && !named {
		return refuse("record", "record 0 does not say how many records carry something over, and of what they were made")
	}
	b.carried = carried.number
	return nil
}

// complete tells whether a log of size records has all that it took over.
func (b *beginning) complete(size int64) error {
	if size <= b.carried {
		return refuse("record", "it has %d records, and %d behind the first would carry over what the epoch took over", size, b.carried)
	}
	return nil
}

func (c *carriedBy) isKey() bool { return strings.HasSuffix(string(c.ev), ".key") }

func (c *carriedBy) less(other *carriedBy) bool {
	if by := bytes.Compare(c.ev, other.ev); by != 0 {
		return by < 0
	}
	if by := bytes.Compare(c.whose, other.whose); by != 0 {
		return by < 0
	}
	return c.was < other.was
}

// ownFields are the fields of a record that parseRecord accepted.
func ownFields(body []byte) map[string]field {
	fields := make(map[string]field)
	s := scanner{body: body, at: 1}
	for !s.failed && s.peek() != '}' {
		if s.peek() == ',' {
			s.at++
		}
		key := string(s.key())
		s.expect(':')
		fields[key] = s.value()
	}
	return fields
}
