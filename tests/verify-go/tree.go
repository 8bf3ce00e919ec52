package main

import (
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// A tree gives the tiles of a bundle that hang on the root of its checkpoint. It keeps one tile of each level, and the partial ones:
// records are read in their order, so that memory does not grow with the log.
//
// tlog.TileHashReader would do this, but before version 0.40.0 it takes the first tiles behind those of the root for good without
// looking (CVE-2026-56865, https://go.dev/issue/80744), and Debian 12 has 0.7.0. tests/attacks finds that out.
type tree struct {
	dir     string
	log     tlog.Tree
	partial map[int][]byte   // by level, once they lead to the root
	kept    map[int]keptTile // full tiles that were found to hang on the one above
	raw     keptTile         // the tile of leaves that was read last, whether it hangs or not
}

type keptTile struct {
	n    int64
	data []byte
}

func newTree(dir string, log tlog.Tree) *tree {
	return &tree{dir: dir, log: log, kept: map[int]keptTile{}, raw: keptTile{n: -1}}
}

// read reads a file of a tile, of which nothing is known yet.
func (t *tree) read(tile tlog.Tile) ([]byte, error) {
	name := tilePath(tile)
	data, err := readRegular(filepath.Join(t.dir, name), int64(tile.W*tlog.HashSize))
	if err != nil {
		return nil, err
	}
	if len(data) != tile.W*tlog.HashSize {
		return nil, refuse("file", "%s is too short", name)
	}
	return data, nil
}

// leaves is the tile of leaves n, whether it hangs on the root or not.
func (t *tree) leaves(n int64) ([]byte, error) {
	if t.raw.n != n {
		data, err := t.read(widest(0, n, t.log.N))
		if err != nil {
			return nil, err
		}
		t.raw = keptTile{n, data}
	}
	return t.raw.data, nil
}

// tile is a tile that hangs on the root.
func (t *tree) tile(level int, n int64) ([]byte, error) {
	if err := t.begin(); err != nil {
		return nil, err
	}
	tile := widest(level, n, t.log.N)
	if tile.W < 1<<tileHeight {
		return t.partial[level], nil
	}
	if kept, ok := t.kept[level]; ok && kept.n == n {
		return kept.data, nil
	}
	above, err := t.tile(level+1, n>>tileHeight)
	if err != nil {
		return nil, err
	}
	var data []byte
	if level == 0 {
		data, err = t.leaves(n)
	} else {
		data, err = t.read(tile)
	}
	if err != nil {
		return nil, err
	}
	root, err := tileRoot(tile, data)
	if err != nil {
		return nil, err
	}
	if at := int(n&0xff) * tlog.HashSize; string(above[at:at+tlog.HashSize]) != string(root[:]) {
		return nil, refuse("tree", "from record %d on these are not the records that were signed: %s does not hang on the root",
			n<<(tileHeight*(level+1)), tilePath(tile))
	}
	t.kept[level] = keptTile{n, data}
	return data, nil
}

// tileRoot is the hash over a full tile. Package tlog gives those of its halves.
func tileRoot(tile tlog.Tile, data []byte) (tlog.Hash, error) {
	half := tileHeight*tile.L + tileHeight - 1
	left, err := tlog.HashFromTile(tile, data, tlog.StoredHashIndex(half, 2*tile.N))
	if err != nil {
		return left, err
	}
	right, err := tlog.HashFromTile(tile, data, tlog.StoredHashIndex(half, 2*tile.N+1))
	return tlog.NodeHash(left, right), err
}

// begin reads the partial tile of each level. They have every hash that the root is made of, and no other.
func (t *tree) begin() error {
	if t.partial != nil {
		return nil
	}
	partial := map[int][]byte{}
	for level := 0; t.log.N>>(tileHeight*level) > 0; level++ {
		tile := widest(level, t.log.N>>(tileHeight*(level+1)), t.log.N)
		if tile.W == 0 {
			continue
		}
		data, err := t.read(tile)
		if err != nil {
			return err
		}
		partial[level] = data
	}
	root, err := tlog.TreeHash(t.log.N, hashReader(func(level int, n int64) ([]byte, error) { return partial[level], nil }).of(t.log.N))
	if err != nil {
		return err
	}
	if root != t.log.Hash {
		return refuse("tree", "the tiles of its %d records do not lead to the root of the checkpoint: these are not the records that were signed", t.log.N)
	}
	t.partial = partial
	return nil
}

// root is the root that the log had when it had size records.
func (t *tree) root(size int64) (tlog.Hash, error) {
	return tlog.TreeHash(size, hashReader(t.tile).of(t.log.N))
}

// A hashReader finds a tile.
type hashReader func(level int, n int64) ([]byte, error)

// of reads hashes out of the tiles of a log of size records.
func (read hashReader) of(size int64) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			tile := tlog.TileForIndex(tileHeight, index)
			data, err := read(tile.L, tile.N)
			if err != nil {
				return nil, err
			}
			if hashes[i], err = tlog.HashFromTile(widest(tile.L, tile.N, size), data, index); err != nil {
				return nil, err
			}
		}
		return hashes, nil
	}
}
