package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func TestOrigins(t *testing.T) {
	for name, good := range map[string]bool{
		"keylog.example.com/plant7/stn03/1": true, "keylog.acme/p/s/4294967295": true, "keylog.a-b.co.uk/p.1/s-2/10": true,
		"": false, "keylog.example.com/plant7/stn03": false, "keylog.example.com/plant7/stn03/0": false,
		"keylog.example.com/plant7/stn03/01": false, "keylog.example.com/plant7/stn03/1/2": false,
		"keylog./plant7/stn03/1": false, "keylog.a..b/plant7/stn03/1": false, "example.com/plant7/stn03/1": false,
		"keylog.example.com/plant7/-s/1": false, "keylog.example.com/plant7/stn03/4294967296": false,
		"keylog.example.com/plant7/stn03/1\n": false, "keylog.a-.b/p/s/1": false, "keylog.a/p./s/1": false,
	} {
		try(t, name, func(t *testing.T) {
			if isOrigin(name) != good {
				t.Fatal(name)
			}
		})
	}
}

func TestTilePaths(t *testing.T) {
	for name, tile := range map[string]tlog.Tile{
		"tile/0/000":                          {H: 8, L: 0, N: 0, W: 256},
		"tile/0/000.p/5":                      {H: 8, L: 0, N: 0, W: 5},
		"tile/entries/x001/234":               {H: 8, L: -1, N: 1234, W: 256},
		"tile/2/x001/x234/067.p/255":          {H: 8, L: 2, N: 1234067, W: 255},
		"tile/data/000":                       {},
		"tile/-1/000":                         {},
		"tile/0/0":                            {},
		"tile/00/000":                         {},
		"tile/0/000.p/256":                    {},
		"tile/0/000.p/0":                      {},
		"tile/0/000.p/05":                     {},
		"tile/0/x000/000":                     {},
		"tile/0/1000":                         {},
		"tile/0/x072/x057/x594/x037/x927/936": {H: 8, L: 0, N: 72057594037927936, W: 256},
	} {
		try(t, name, func(t *testing.T) {
			found, ok := parseTilePath(name)
			if ok != (tile.H > 0) || ok && found != tile {
				t.Fatal(found, ok)
			}
		})
	}
	try(t, "an index that overflows is of no tile", func(t *testing.T) {
		if tile := widest(0, 1<<56, 600); tile.W != 0 {
			t.Fatal(tile)
		}
	})
	try(t, "widths", func(t *testing.T) {
		for n, width := range map[int64]int{0: 256, 1: 256, 2: 88, 3: 0} {
			if tile := widest(0, n, 600); tile.W != width {
				t.Fatal(tile)
			}
		}
		if tile := widest(1, 0, 600); tile.W != 2 {
			t.Fatal(tile)
		}
	})
}

// TestFiles: what no vector can hold, since a vector is a list of files.
func TestFiles(t *testing.T) {
	var file bundleVectors
	vectors(t, "audit-bundle.json", &file)
	tile := filepath.Join("tile", "0", "000.p", "5")
	for name, change := range map[string]func(dir string) error{
		"a link to a file": func(dir string) error {
			if err := os.Rename(filepath.Join(dir, tile), filepath.Join(dir, "elsewhere")); err != nil {
				return err
			}
			return os.Symlink(filepath.Join(dir, "elsewhere"), filepath.Join(dir, tile))
		},
		"a link to a folder": func(dir string) error {
			if err := os.Rename(filepath.Join(dir, "tile"), filepath.Join(dir, "elsewhere")); err != nil {
				return err
			}
			return os.Symlink(filepath.Join(dir, "elsewhere"), filepath.Join(dir, "tile"))
		},
		"a pipe": func(dir string) error {
			if err := os.Remove(filepath.Join(dir, tile)); err != nil {
				return err
			}
			return syscall.Mkfifo(filepath.Join(dir, tile), 0o600)
		},
		"a folder in place of a file": func(dir string) error {
			if err := os.Remove(filepath.Join(dir, tile)); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(dir, tile), 0o700)
		},
		"a file in place of a folder": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "records"), nil, 0o600)
		},
	} {
		try(t, name, func(t *testing.T) {
			dir := t.TempDir()
			for name, data := range file.Whole {
				writeOrRemove(t, filepath.Join(dir, name), name, data)
			}
			must(t, change(dir))
			_, err := verifyBundle(dir, nil, nil)
			mustRefuse(t, err, "file")
		})
	}
	try(t, "folders without files", func(t *testing.T) {
		dir := t.TempDir()
		for name, data := range file.Whole {
			writeOrRemove(t, filepath.Join(dir, name), name, data)
		}
		must(t, os.MkdirAll(filepath.Join(dir, "records"), 0o700))
		must(t, os.MkdirAll(filepath.Join(dir, "tile", "1"), 0o700))
		_, err := verifyBundle(dir, nil, nil)
		must(t, err)
	})
}
