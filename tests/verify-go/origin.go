package main

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	originForm = regexp.MustCompile(`^keylog\.([a-z0-9.-]+)/([a-z0-9.-]+)/([a-z0-9.-]+)/([1-9][0-9]*)$`)
	word       = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
)

// isOrigin: the introduction of docs/audit-format.md.
func isOrigin(name string) bool {
	parts := originForm.FindStringSubmatch(name)
	if parts == nil || len(name) > 128 {
		return false
	}
	for _, text := range append(strings.Split(parts[1], "."), parts[2], parts[3]) {
		if !word.MatchString(text) {
			return false
		}
	}
	_, err := strconv.ParseUint(parts[4], 10, 32)
	return err == nil
}
