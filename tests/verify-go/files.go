package main

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Every tile is 2^8 hashes wide.
const tileHeight = 8

// readRegular reads a file that is no link and has at most limit bytes.
func readRegular(name string, limit int64) ([]byte, error) {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuse("file", "%s is missing", name)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, refuse("file", "%s is not a file", name)
	case info.Size() > limit:
		return nil, refuse("file", "%s is too long", name)
	}
	return os.ReadFile(name)
}

// walk calls visit for every file below dir/name, one folder at a time, and refuses links and whatever else is no file.
// Folders without files are as good as none.
func walk(dir, name string, visit func(name string) error) error {
	entries, err := os.ReadDir(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		if info, e := os.Lstat(filepath.Join(dir, name)); e == nil && !info.IsDir() {
			return refuse("file", "%s is not a folder", name)
		}
		return err
	}
	for _, entry := range entries {
		below := path.Join(name, entry.Name())
		switch {
		case entry.IsDir():
			err = walk(dir, below, visit)
		case entry.Type().IsRegular():
			err = visit(below)
		default:
			err = refuse("file", "%s is neither a file nor a folder", below)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errEnough = errors.New("one is enough")

// holdsFiles tells whether there is any file below dir/name.
func holdsFiles(dir, name string) (bool, error) {
	if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && !info.IsDir() {
		return false, refuse("file", "%s is not a folder", name)
	}
	err := walk(dir, name, func(string) error { return errEnough })
	if errors.Is(err, errEnough) {
		return true, nil
	}
	return false, err
}

// tilePath is where a tile lies in a bundle: without the height that package tlog puts in, and with its own word for records.
func tilePath(t tlog.Tile) string {
	rest := strings.TrimPrefix(t.Path(), "tile/8/")
	if t.L == -1 {
		rest = "entries" + strings.TrimPrefix(rest, "data")
	}
	return "tile/" + rest
}

// parseTilePath is the inverse of tilePath.
func parseTilePath(name string) (tlog.Tile, bool) {
	rest := strings.TrimPrefix(name, "tile/")
	if strings.HasPrefix(rest, "entries/") {
		rest = "data" + strings.TrimPrefix(rest, "entries")
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	return t, err == nil && tilePath(t) == name
}

// widest is the tile with the index n of a level as a log of size records has it; its width is 0 where it has none.
func widest(level int, n, size int64) tlog.Tile {
	shift := tileHeight * level
	if level == -1 {
		shift = 0
	}
	width := int64(0)
	if shift < 63 && n <= size { // a greater n could overflow into one that is there
		width = size>>shift - n<<tileHeight
	}
	if width > 1<<tileHeight {
		width = 1 << tileHeight
	}
	if width < 0 {
		width = 0
	}
	return tlog.Tile{H: tileHeight, L: level, N: n, W: int(width)}
}
