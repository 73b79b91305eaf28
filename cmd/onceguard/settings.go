package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// settings is a Config with where each part of it comes from.
type settings struct {
	config   *Config
	environ  environment
	flags    *pflag.FlagSet
	file     string // path of the configuration file; "" for none
	origins  map[string]origin
	problems []error
}

// origin says where the value of a setting comes from.
type origin struct {
	Kind  string `json:"kind"`            // "default", "file", "environment" or "flag"
	Place string `json:"place,omitempty"` // file:line:column, the name of the variable, or the flag
}

func (o origin) String() string {
	if o.Place == "" {
		return o.Kind
	}
	return o.Place
}

// newSettings makes settings whose flags can be added to commands. They hold after load.
func newSettings(environ []string) *settings {
	c := new(Config)
	s := &settings{config: c, environ: environ, flags: c.flags(), origins: make(map[string]origin)}
	s.flags.StringVar(&s.file, "config", "", "YAML `file` with settings")
	return s
}

// load completes what the flags said with the environment and the configuration file. The error is a usageError
// with every problem on a line of its own.
func (s *settings) load() error {
	if name, ok := s.environ.lookup(envName("config")); ok && !s.flags.Lookup("config").Changed {
		s.file = name
	}
	var entries []fileEntry
	if s.file != "" {
		var err error
		if entries, err = readConfigFile(s.file); err != nil {
			return usageError{err}
		}
	}
	s.refuseUnknown(entries)
	s.flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" {
			s.resolve(f, entries)
		}
	})
	if s.config.Data == "" {
		s.config.Data = defaultData(s.environ)
	}
	return s.err()
}

// resolve finds the value of one setting.
func (s *settings) resolve(f *pflag.Flag, entries []fileEntry) {
	if f.Changed {
		s.origins[f.Name] = origin{"flag", "--" + f.Name}
		return
	}
	if value, ok := s.environ.lookup(envName(f.Name)); ok {
		s.set(f, value, origin{"environment", envName(f.Name)})
		return
	}
	for _, e := range entries {
		if e.key != fileKey(f.Name) {
			continue
		}
		if slices.Contains(paths, f.Name) && e.value != "" && !filepath.IsAbs(e.value) {
			e.value = filepath.Join(filepath.Dir(s.file), e.value)
		}
		s.set(f, e.value, origin{"file", e.place})
		return
	}
	s.origins[f.Name] = origin{Kind: "default"}
}

func (s *settings) set(f *pflag.Flag, value string, from origin) {
	s.origins[f.Name] = from
	if f.Value.Set(value) != nil {
		wanted := map[string]string{
			"duration": "a duration with its unit, such as 25s or 2m", "bool": "true or false",
			"int": "a whole number", "int64": "a whole number",
		}[f.Value.Type()]
		s.complain(f.Name, "%q is not %s", value, wanted)
	}
}

// refuseUnknown complains about what would have no effect: in a guard, a setting that was only thought to be
// made is a danger.
func (s *settings) refuseUnknown(entries []fileEntry) {
	var keys, variables []string
	s.flags.VisitAll(func(f *pflag.Flag) {
		variables = append(variables, envName(f.Name))
		if f.Name != "config" {
			keys = append(keys, fileKey(f.Name))
		}
	})
	for _, e := range entries {
		if !slices.Contains(keys, e.key) {
			s.problems = append(s.problems, fmt.Errorf("%s: unknown setting %q%s", e.place, e.key, didYouMean(e.key, keys)))
		}
	}
	for _, entry := range s.environ {
		name, value, _ := strings.Cut(entry, "=")
		if value != "" && strings.HasPrefix(name, envPrefix) && !slices.Contains(variables, name) {
			s.problems = append(s.problems, fmt.Errorf("unknown environment variable %s%s", name, didYouMean(name, variables)))
		}
	}
}

// complain notes a problem with a setting, where its value was given.
func (s *settings) complain(name, format string, args ...any) {
	where := "--" + name
	switch o := s.origins[name]; o.Kind {
	case "file":
		where = o.Place + ": " + fileKey(name)
	case "environment":
		where = o.Place
	}
	s.problems = append(s.problems, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// err returns the problems found so far.
func (s *settings) err() error {
	if len(s.problems) == 0 {
		return nil
	}
	return usageError{errors.Join(s.problems...)}
}

// settingReport is one line of --print-config.
type settingReport struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	kind   string
	Origin origin `json:"origin"`
}

// print writes the settings in force in the form of a configuration file, each with where it comes from.
func (s *settings) print(w io.Writer, asJSON bool) error {
	var report []settingReport
	s.flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" {
			value := f.Value.String()
			if slices.Contains(addresses, f.Name) && value != "" {
				value = withoutPassword(value)
			}
			if f.Name == "oidc-client-secret" && value != "" {
				value = "…"
			}
			report = append(report, settingReport{fileKey(f.Name), value, f.Value.Type(), s.origins[f.Name]})
		}
	})
	if asJSON {
		return writeJSON(w, map[string]any{"settings": report})
	}
	for _, r := range report {
		if r.kind == "string" {
			r.Value = yamlScalar(r.Value)
		}
		line := r.Name + ": " + r.Value
		if _, err := fmt.Fprintf(w, "%-36s # %s\n", line, r.Origin); err != nil {
			return err
		}
	}
	return nil
}
