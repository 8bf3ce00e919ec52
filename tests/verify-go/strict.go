//go:build !weakened

package main

// Whether the tree goes unchecked.
const skipTree = false
