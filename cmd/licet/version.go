package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what is known of the binary.
type build struct {
	Version  string   `json:"version"`
	Commit   string   `json:"commit,omitempty"`
	Date     string   `json:"date,omitempty"` // of the commit
	Modified bool     `json:"modified"`       // there were changes beside the commit
	Go       string   `json:"go"`
	Platform string   `json:"platform"`
	Modules  []module `json:"modules,omitempty"`
}

// module is one that the binary is made from.
type module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum,omitempty"`
}

func versionCommand() *cobra.Command {
	var asJSON, modules bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print version and build",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := thisBuild(modules)
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(b)
			}
			return b.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&modules, "modules", false, "print the modules that it is made from, too")
	return cmd
}

func thisBuild(modules bool) build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		if modules {
			b.Modules = append(b.Modules, module{d.Path, d.Version, d.Sum})
		}
	}
	return b
}

func (b build) print(w io.Writer) error {
	text := fmt.Sprintf("licet %s %s %s", b.Version, b.Go, b.Platform)
	if b.Commit != "" {
		text += fmt.Sprintf(", commit %s of %s", b.Commit, b.Date)
	}
	if b.Modified {
		text += ", with changes"
	}
	text += "\n"
	for _, m := range b.Modules {
		text += fmt.Sprintf("  %s %s\n", m.Path, m.Version)
	}
	_, err := io.WriteString(w, text)
	return err
}
