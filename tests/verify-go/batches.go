package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// repairBatches are the batches of repair, told by every record of a log, in order: section 13. It remembers them, the devices of those
// that are open, and the IDs of work orders.
type repairBatches struct {
	known   map[string]*repairBatch
	orders  map[string]bool
	intents map[int64]intentOf // those of open batches that were not proved yet
	newest  map[string]int64   // the number of the newest rekey.open and rekey.close
}

type intentOf struct{ job, rid string }

type repairBatch struct {
	opened   int64
	closed   bool
	terms    map[string]field // what was approved; nil where an older program opened it
	quantity int64
	root     *tlog.Hash
	begun    map[string]bool  // whether each device is done
	rows     map[int64]string // which device has which row
}

// batchTerms are the fields that each intent of a batch has as its rekey.open has them.
var batchTerms = []string{"gk", "gkcv", "group", "scope", "slot", "endpoint", "profile_sha256", "reason", "note", "same_key", "op2"}

func (b *repairBatches) add(seq int64, body []byte) error {
	switch string(eventOf(body)) {
	case "order.create":
		job := string(ownFields(body)["job"].text)
		if b.orders == nil {
			b.orders = make(map[string]bool)
		}
		b.orders[job] = true
		if b.known[job] != nil {
			return refuse("record", "record %d creates a work order with the ID of the batch %s", seq, job)
		}
	case "rekey.open":
		return b.open(seq, ownFields(body))
	case "rekey.close":
		return b.close(seq, ownFields(body))
	case "inject.intent":
		// Of new devices only those matter that name a batch.
		if len(b.known) > 0 || bytes.Contains(body, []byte(`"mode":"rekey"`)) {
			return b.intent(seq, ownFields(body))
		}
	case "inject.result", "inject.resolve":
		if len(b.intents) > 0 {
			b.outcome(ownFields(body))
		}
	}
	return nil
}

// follows holds a record to the number of the one before it of its kind, which it names.
func (b *repairBatches) follows(seq int64, ev string, own map[string]field) error {
	prior, ok := b.newest[ev]
	if !ok {
		prior = -1
	}
	if b.newest == nil {
		b.newest = make(map[string]int64)
	}
	b.newest[ev] = seq
	if own["prior"].isText || own["prior"].number != prior || !has(own, "prior") {
		return refuse("record", "record %d does not name the %s before it, which is %d", seq, ev, prior)
	}
	return nil
}

func (b *repairBatches) open(seq int64, own map[string]field) error {
	job := string(own["job"].text)
	if job == "" || b.known[job] != nil || b.orders[job] {
		return refuse("record", "record %d opens a batch under the ID %s, which was given before", seq, job)
	}
	if err := b.follows(seq, "rekey.open", own); err != nil {
		return err
	}
	batch := &repairBatch{opened: seq, quantity: own["qty"].number, begun: make(map[string]bool), rows: make(map[int64]string)}
	if own["qty"].isText || batch.quantity < 1 {
		return refuse("record", "record %d opens a batch for no device", seq)
	}
	if b.known == nil {
		b.known, b.intents = make(map[string]*repairBatch), make(map[int64]intentOf)
	}
	b.known[job] = batch
	if !has(own, "profile_sha256") {
		return nil // of an older program: nothing is asked of its devices
	}
	for _, key := range batchTerms {
		value := own[key]
		missing := key != "note" && key != "op2" && len(value.text) == 0
		if key == "same_key" {
			missing = !has(own, key) || value.isText || value.number < 0 || value.number > 1
		}
		if missing || key != "same_key" && !value.isText {
			return refuse("record", "record %d opens a batch without a %s that it can have", seq, key)
		}
	}
	if len(own["op2"].text) == 0 || bytes.Equal(own["op2"].text, own["op"].text) {
		return refuse("record", "record %d opens a batch that nobody else approved", seq)
	}
	var hashes [3]*tlog.Hash
	for i, key := range []string{"sha256", "list_root", "profile_sha256"} {
		if value := own[key]; !value.isText || len(value.text) > 0 {
			data, err := hex.DecodeString(string(value.text))
			if err != nil || len(data) != tlog.HashSize || strings.ToLower(string(value.text)) != string(value.text) {
				return refuse("record", "record %d opens a batch with a %s that is no hash", seq, key)
			}
			hashes[i] = (*tlog.Hash)(data)
		}
	}
	if (hashes[0] == nil) != (hashes[1] == nil) || hashes[2] == nil {
		return refuse("record", "record %d opens a batch for a list without its tree, or for a tree without a list", seq)
	}
	batch.terms, batch.root = own, hashes[1]
	return nil
}

func (b *repairBatches) intent(seq int64, own map[string]field) error {
	job, rid := string(own["job"].text), string(own["rid"].text)
	rekey := string(own["mode"].text) == "rekey"
	needsNew := map[string]bool{"leaked-key": true, "key-rotation": true}[string(own["reason"].text)]
	if rekey && needsNew && has(own, "profile_sha256") && !own["same_key"].isText && has(own, "same_key") && own["same_key"].number == 0 &&
		string(own["effect"].text) != "new-key" {
		return refuse("record", "record %d re-keys for a reason that asks for another key, and says that it is none", seq)
	}
	batch := b.known[job]
	if batch == nil {
		if rekey && job != "" && has(own, "effect") {
			return refuse("record", "record %d is of the batch %s, which was never opened", seq, job)
		}
		return nil
	}
	if batch.terms != nil {
		if err := batch.admits(seq, job, rid, rekey, own); err != nil {
			return err
		}
	}
	if rekey && !batch.closed {
		if _, begun := batch.begun[rid]; !begun {
			batch.begun[rid] = false
		}
		if row, ok := own["row"]; ok && batch.root != nil {
			batch.rows[row.number] = rid
		}
		b.intents[seq] = intentOf{job, rid}
	}
	return nil
}

// admits tells whether an intent is one of the batch.
func (batch *repairBatch) admits(seq int64, job, rid string, rekey bool, own map[string]field) error {
	if batch.closed {
		return refuse("record", "record %d is of the batch %s, which was closed", seq, job)
	}
	for _, key := range batchTerms {
		approved, said := batch.terms[key], own[key]
		if !has(own, key) || approved.isText != said.isText || approved.number != said.number || !bytes.Equal(approved.text, said.text) {
			return refuse("record", "record %d is of the batch %s, which was approved with another %s", seq, job, key)
		}
	}
	if !rekey || bytes.Equal(own["op"].text, own["op2"].text) {
		return refuse("record", "record %d is of the batch %s, and is no re-key by two people", seq, job)
	}
	done, begun := batch.begun[rid]
	if done {
		return refuse("record", "record %d re-keys %s a second time in the batch %s", seq, rid, job)
	}
	row, placed := own["row"]
	if batch.root == nil {
		if placed || !begun && int64(len(batch.begun)) >= batch.quantity {
			return refuse("record", "record %d begins one device more than the batch %s was approved for", seq, job)
		}
		return nil
	}
	if !placed || row.isText || !batch.lists(row.number, own) {
		return refuse("record", "record %d begins %s, which is not on the list of the batch %s", seq, rid, job)
	}
	if other, taken := batch.rows[row.number]; taken && other != rid {
		return refuse("record", "record %d begins %s as row %d of the batch %s, which %s was", seq, rid, row.number, job, other)
	}
	return nil
}

// lists tells whether a row of the list is what the intent says of its device.
func (batch *repairBatch) lists(row int64, own map[string]field) bool {
	var said []string
	var text [3]string
	for i, names := range [][2]string{{"id", "rid"}, {"mac", "mac"}, {"serial", "sn"}} {
		for _, named := range strings.Split(string(own["named"].text), "+") {
			if named == names[0] {
				said = append(said, named)
				text[i] = spoken(own[names[1]].text)
				break
			}
		}
	}
	if len(said) == 0 || strings.Join(said, "+") != string(own["named"].text) {
		return false
	}
	path, err := base64.StdEncoding.Strict().DecodeString(string(own["path"].text))
	if err != nil || len(path)%tlog.HashSize != 0 || bytes.ContainsAny(own["path"].text, "\r\n") || !own["path"].isText {
		return false
	}
	var proof tlog.RecordProof
	for ; len(path) > 0; path = path[tlog.HashSize:] {
		proof = append(proof, *(*tlog.Hash)(path))
	}
	leaf := tlog.RecordHash([]byte(strings.Join(text[:], ",")))
	return row >= 0 && row < batch.quantity && tlog.CheckRecord(proof, batch.quantity, *batch.root, row, leaf) == nil
}

func (b *repairBatches) outcome(own map[string]field) {
	of, ok := b.intents[own["ref"].number]
	if ok && string(own["holds"].text) == "new" {
		delete(b.intents, own["ref"].number)
		if batch := b.known[of.job]; !batch.closed {
			batch.begun[of.rid] = true
		}
	}
}

func (b *repairBatches) close(seq int64, own map[string]field) error {
	job := string(own["job"].text)
	batch := b.known[job]
	if batch == nil || own["ref"].isText || own["ref"].number != batch.opened || batch.closed {
		return refuse("record", "record %d closes the batch %s, which is not open", seq, job)
	}
	if err := b.follows(seq, "rekey.close", own); err != nil {
		return err
	}
	batch.closed = true
	for intent, of := range b.intents {
		if of.job == job {
			delete(b.intents, intent)
		}
	}
	if batch.terms == nil {
		return nil
	}
	var done int64
	for _, is := range batch.begun {
		if is {
			done++
		}
	}
	var sums [4]int64
	for i, key := range []string{"asked", "done", "failed", "missing"} {
		if own[key].isText || own[key].number < 0 || !has(own, key) {
			return refuse("record", "record %d closes the batch %s without a number %s", seq, job, key)
		}
		sums[i] = own[key].number
	}
	if sums[0] != batch.quantity || sums[0] != sums[1]+sums[2]+sums[3] || sums[1] != done || sums[2] < int64(len(batch.begun))-done {
		return refuse("record", "record %d closes the batch %s with sums that are not those of its records", seq, job)
	}
	batch.begun, batch.rows = nil, nil
	return nil
}

// spoken is what a canonical text says: a serial number may have a quotation mark in it.
func spoken(text []byte) string {
	var said string
	if json.Unmarshal([]byte(`"`+string(text)+`"`), &said) != nil {
		return string(text) // parseRecord accepted it
	}
	return said
}

func has(own map[string]field, key string) bool {
	_, ok := own[key]
	return ok
}
