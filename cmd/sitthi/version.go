package main

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// versionCommand tells the version of the program.
type versionCommand struct{}

// Run prints it.
func (versionCommand) Run(sh *shell) error {
	_, err := fmt.Fprintln(sh.out, "sitthi", version())
	return err
}

// version is what the build knows of itself: the module's version, the commit and the compiler.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	parts := []string{info.Main.Version}
	if revision := settings["vcs.revision"]; revision != "" {
		parts = append(parts, "commit "+revision, settings["vcs.time"])
	}
	if settings["vcs.modified"] == "true" {
		parts = append(parts, "with changes")
	}
	return strings.Join(append(parts, info.GoVersion), ", ")
}
