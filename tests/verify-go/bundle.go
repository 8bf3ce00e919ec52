package main

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A verdict is what an accepted bundle or proof file proves.
type verdict struct {
	kind       string // whole, selection or proof
	key        *key
	checkpoint checkpoint
	shown      int64 // records that it has
	seen       int   // checkpoints that it was held against
	follows    string
}

// A bundle that is being verified: section 6.
type bundle struct {
	dir        string
	key        *key
	keys       []*key // that of the log and those of its witnesses
	checkpoint checkpoint
	tree       *tree
	beginning  beginning
	devices    devicesOut    // of a whole bundle
	batches    repairBatches // the same
}

// verifyBundle checks the bundle in dir. trusted is the key that the user knows, or nil; seen are checkpoints that left
// the machine before.
func verifyBundle(dir string, trusted *key, seen [][]byte) (*verdict, error) {
	b := &bundle{dir: dir}
	if err := b.readKeys(trusted); err != nil {
		return nil, err
	}
	data, err := readRegular(filepath.Join(dir, "checkpoint"), noteLimit)
	if err != nil {
		return nil, under("checkpoint", err)
	}
	if b.checkpoint, err = openCheckpoint(data, b.keys); err != nil {
		return nil, err
	}
	b.tree = newTree(dir, b.checkpoint.Tree)
	whole, err := b.isWhole()
	if err != nil {
		return nil, err
	}
	earlier, err := openSeen(seen, b.key, b.checkpoint.Tree, whole)
	if err != nil {
		return nil, err
	}
	v := &verdict{kind: "selection", key: b.key, checkpoint: b.checkpoint, seen: len(seen)}
	if whole {
		v.kind = "whole"
		v.shown, err = b.verifyWhole()
	} else {
		v.shown, err = b.verifySelection()
	}
	if err == nil {
		err = b.beginning.complete(b.checkpoint.N)
	}
	if err != nil {
		return nil, err
	}
	v.follows = b.beginning.follows
	for _, c := range earlier {
		if err := b.holdAgainst(c, "seen"); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (b *bundle) readKeys(trusted *key) error {
	keys, err := keyFile(filepath.Join(b.dir, "log.vkey"), logKey)
	if err != nil {
		return err
	}
	if len(keys) != 1 {
		return refuse("key", "log.vkey has %d keys, a log has one", len(keys))
	}
	if trusted != nil && trusted.text != keys[0].text {
		return refuse("key", "log.vkey is %s, which is not the key that you trust", keys[0].text)
	}
	witnesses, err := keyFile(filepath.Join(b.dir, "witness.vkeys"), witnessKey)
	if err != nil {
		return err
	}
	b.key, b.keys = keys[0], append(keys, witnesses...)
	return nil
}

func (b *bundle) isWhole() (bool, error) {
	if _, err := holdsFiles(b.dir, "tile"); err != nil {
		return false, err
	}
	entries, err := holdsFiles(b.dir, "tile/entries")
	if err != nil {
		return false, err
	}
	records, err := holdsFiles(b.dir, "records")
	if err != nil {
		return false, err
	}
	if entries == records {
		return false, refuse("file", "it must have either tile/entries or records")
	}
	return entries, nil
}

// openSeen opens checkpoints that left the machine before, and gives back those that are smaller than the log.
func openSeen(seen [][]byte, k *key, log tlog.Tree, whole bool) ([]checkpoint, error) {
	var smaller []checkpoint
	for _, data := range seen {
		c, err := openCheckpoint(data, []*key{k})
		switch {
		case err != nil:
			return nil, under("seen", err)
		case c.N > log.N:
			return nil, refuse("seen", "the log has %d records, and had %d when it was seen: records %d and up are gone", log.N, c.N, log.N)
		case c.N == log.N && c.Hash != log.Hash:
			return nil, refuse("seen", "the log had another root when it was seen with as many records: there are two logs")
		case c.N < log.N && !whole:
			return nil, refuse("seen", "a checkpoint of %d records cannot be compared with one of %d without the whole bundle", c.N, log.N)
		case c.N < log.N:
			smaller = append(smaller, c)
		}
	}
	return smaller, nil
}

// holdAgainst compares the log with an earlier checkpoint of its key.
func (b *bundle) holdAgainst(c checkpoint, part string) error {
	if skipTree {
		return nil
	}
	root, err := b.tree.root(c.N)
	if err != nil {
		return err
	}
	if root != c.Hash {
		return refuse(part, "its first %d records are not those that it had at an earlier checkpoint: it has another past", c.N)
	}
	return nil
}

// verifyWhole reads every record and every tile.
func (b *bundle) verifyWhole() (int64, error) {
	size := b.checkpoint.N
	err := walk(b.dir, "tile", func(name string) error {
		tile, ok := parseTilePath(name)
		if !ok || tile != widest(tile.L, tile.N, size) || tile.W == 0 {
			return refuse("file", "a log of %d records has no %s", size, name)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	sizes, err := b.earlierSizes()
	if err != nil {
		return 0, err
	}
	for n := int64(0); n<<tileHeight < size; n++ {
		if err := b.verifyEntries(widest(-1, n, size)); err != nil {
			return 0, err
		}
	}
	for _, earlier := range sizes {
		if err := b.verifyEarlier(earlier); err != nil {
			return 0, err
		}
	}
	return size, nil
}

// verifyEntries checks up to 256 records and the tile that has their hashes.
func (b *bundle) verifyEntries(entries tlog.Tile) error {
	name := tilePath(entries)
	data, err := readRegular(filepath.Join(b.dir, name), int64(entries.W*(2+recordLimit)))
	if err != nil {
		return err
	}
	first := entries.N << tileHeight
	for i := int64(0); i < int64(entries.W); i++ {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return refuse("file", "%s ends within record %d", name, first+i)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		if err := b.verifyRecord(first+i, data[2:end]); err != nil {
			return err
		}
		if err := b.devices.add(first+i, data[2:end]); err != nil {
			return err
		}
		if err := b.batches.add(first+i, data[2:end]); err != nil {
			return err
		}
		data = data[end:]
	}
	if len(data) > 0 {
		return refuse("file", "%s goes on behind record %d", name, first+int64(entries.W)-1)
	}
	return b.hangs(first)
}

// verifyRecord checks one record against the rules of its place and against its leaf in the tile; whether that hangs on the root,
// hangs tells.
func (b *bundle) verifyRecord(seq int64, body []byte) error {
	if err := checkPlace(seq, body, b.key, &b.beginning); err != nil {
		return err
	}
	tile, err := b.tree.leaves(seq >> tileHeight)
	if err != nil {
		return err
	}
	leaf := tlog.RecordHash(body)
	if at := int(seq&0xff) * tlog.HashSize; !bytes.Equal(tile[at:at+tlog.HashSize], leaf[:]) {
		return refuse("record", "record %d is not the one whose hash the tree has", seq)
	}
	return nil
}

// checkPlace: a record of the log of this key, with this number, and the genesis and what an epoch took over where they belong.
func checkPlace(seq int64, body []byte, k *key, b *beginning) error {
	r, err := parseRecord(body)
	switch {
	case err != nil:
		return refuse("record", "record %d is no record: %s", seq, err.(*refusal).why)
	case r.seq != seq:
		return refuse("record", "record %d says that it is record %d", seq, r.seq)
	case string(r.log) != k.Name():
		return refuse("record", "record %d is of the log %s", seq, r.log)
	case (string(r.ev) == "log.genesis") != (seq == 0):
		return refuse("record", "record %d is %s: record 0 is log.genesis, and no other", seq, r.ev)
	case seq == 0 && string(r.vkey) != k.text:
		return refuse("record", "record 0 names another key than log.vkey")
	}
	return b.check(r, body)
}

// hangs tells whether the tile of a record hangs on the root of the checkpoint, over every tile above it.
func (b *bundle) hangs(seq int64) error {
	if skipTree {
		return nil
	}
	_, err := b.tree.tile(0, seq>>tileHeight)
	return err
}

func (b *bundle) earlierSizes() ([]int64, error) {
	var sizes []int64
	err := walk(b.dir, "checkpoints", func(name string) error {
		size, ok := number(strings.TrimPrefix(name, "checkpoints/"))
		if !ok || size == 0 || size >= b.checkpoint.N {
			return refuse("file", "%s is not named after a smaller number of records", name)
		}
		sizes = append(sizes, size)
		return nil
	})
	sort.Slice(sizes, func(i, j int) bool { return sizes[i] < sizes[j] })
	return sizes, err
}

func (b *bundle) verifyEarlier(size int64) error {
	name := filepath.Join("checkpoints", itoa(size))
	data, err := readRegular(filepath.Join(b.dir, name), noteLimit)
	if err != nil {
		return err
	}
	c, err := openCheckpoint(data, b.keys)
	if err != nil {
		return err
	}
	if c.N != size {
		return refuse("file", "%s is a checkpoint of %d records", name, c.N)
	}
	return b.holdAgainst(c, "tree")
}

// verifySelection reads the records that are there, and the tiles that they hang on.
func (b *bundle) verifySelection() (int64, error) {
	size := b.checkpoint.N
	var chosen []int64
	err := walk(b.dir, "records", func(name string) error {
		digits := strings.TrimSuffix(strings.TrimPrefix(name, "records/"), ".json")
		seq, ok := number(digits)
		if !ok || name != "records/"+digits+".json" || seq >= size {
			return refuse("file", "a log of %d records has no %s", size, name)
		}
		chosen = append(chosen, seq)
		return nil
	})
	if err != nil {
		return 0, err
	}
	sort.Slice(chosen, func(i, j int) bool { return chosen[i] < chosen[j] })
	if chosen[0] != 0 {
		return 0, refuse("file", "records/0.json is missing")
	}
	err = walk(b.dir, "tile", func(name string) error {
		tile, ok := parseTilePath(name)
		if !ok || tile != widest(tile.L, tile.N, size) || tile.W == 0 || !calledFor(tile, chosen) {
			return refuse("file", "%s is not called for", name)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if earlier, err := holdsFiles(b.dir, "checkpoints"); err != nil || earlier {
		return 0, orElse(err, refuse("file", "a selection has no earlier checkpoints"))
	}
	for _, seq := range chosen {
		body, err := readRegular(filepath.Join(b.dir, "records", itoa(seq)+".json"), 1<<20)
		if err != nil {
			return 0, err
		}
		if err := b.verifyRecord(seq, body); err != nil {
			return 0, err
		}
		if err := b.hangs(seq); err != nil {
			return 0, err
		}
	}
	return int64(len(chosen)), nil
}

// calledFor: the partial tile of each level, and those above the records.
func calledFor(tile tlog.Tile, chosen []int64) bool {
	if tile.W < 1<<tileHeight {
		return true
	}
	shift := tileHeight * (tile.L + 1)
	at := sort.Search(len(chosen), func(i int) bool { return chosen[i]>>shift >= tile.N })
	return at < len(chosen) && chosen[at]>>shift == tile.N
}
