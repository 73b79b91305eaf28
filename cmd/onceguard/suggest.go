package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/policy"
)

// maxDescription bounds a file of tools in bytes. Large APIs have OpenAPI documents of ten million.
const maxDescription = 64 << 20

func newSuggestCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "suggest FILE...",
		Short: "Write policies for tools from their descriptions or recorded calls",
		Long: "Write policies for tools from an answer of an MCP server to tools/list, an OpenAPI 3 document, or recorded calls (JSON, one\n" +
			"call a line, with tool and arguments). Which of them a file is, is told by its content; \"-\" reads standard input.\n\n" +
			"The policies are YAML with a reason for each choice. Read them before you use them: lines with CHECK need a person.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := suggestAll(c.InOrStdin(), args)
			if err != nil {
				return err
			}
			text := s.yaml()
			// What the loader refuses would be no suggestion.
			if _, err := policy.Parse("suggestion", text); err != nil {
				return fmt.Errorf("the suggestion would not load, which is a defect of this program: %w", err)
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), s)
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

// suggestion is what suggest has to say.
type suggestion struct {
	Sources []string        `json:"sources"`
	Tools   []suggestedTool `json:"tools"`
	Skipped []skippedTool   `json:"skipped"`
}

// suggestedTool is one tool with what was inferred of it.
type suggestedTool struct {
	Name        string              `json:"name"`
	Description string              `json:"description,omitzero"` // its first sentence
	Kind        policy.Kind         `json:"kind"`
	Why         string              `json:"why,omitzero"`
	Check       bool                `json:"check,omitzero"` // a person should check the kind
	Arguments   []suggestedArgument `json:"arguments"`
	Remarks     []string            `json:"remarks"`
}

// skippedTool is a tool for which no policy can be written.
type skippedTool struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// describedTool is a tool as one of the sources describes it.
type describedTool struct {
	policy.Tool
	kind    policy.Kind // "" where it is left to inference
	why     string      // of kind
	unsure  bool        // of kind
	remarks []string
	seen    map[string]string // by argument: how often recorded calls have it
}

func suggestAll(stdin io.Reader, paths []string) (*suggestion, error) {
	s := &suggestion{Sources: []string{}, Tools: []suggestedTool{}, Skipped: []skippedTool{}}
	first := map[string]string{}
	for _, path := range paths {
		text, err := readDescription(stdin, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		source, tools, err := describeTools(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		name := "standard input"
		if path != "-" {
			name = filepath.Base(path)
		}
		s.Sources = append(s.Sources, fmt.Sprintf("%s (%s)", name, source))
		for _, t := range tools {
			if why := unsuggestible(t.Name, first[t.Name]); why != "" {
				s.Skipped = append(s.Skipped, skippedTool{t.Name, why})
				continue
			}
			first[t.Name] = name
			s.Tools = append(s.Tools, suggest(t))
		}
	}
	if len(s.Tools) == 0 {
		return nil, errors.New("there is no tool for which a policy could be written")
	}
	return s, nil
}

func readDescription(stdin io.Reader, path string) ([]byte, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxDescription+1))
	if err == nil && len(text) > maxDescription {
		err = fmt.Errorf("a description has at most %d bytes; give a part of it", maxDescription)
	}
	return text, err
}

// unsuggestible says why a tool can have no policy of its own; "" when it can.
func unsuggestible(name, before string) string {
	const maxName = 256
	switch {
	case name == "":
		return "it has no name"
	case before != "":
		return "it was already described in " + before
	case len(name) > maxName:
		return fmt.Sprintf("its name has more than %d bytes", maxName)
	case strings.Contains(name, "*"):
		return "its name holds *, which a policy takes for any characters"
	case strings.ContainsFunc(name, func(r rune) bool { return r == ' ' || unprintable(r) }):
		return "its name holds white space or an invisible character, which a policy's name cannot"
	}
	return ""
}

// describeTools finds out what a text is, and reads the tools in it.
func describeTools(text []byte) (source string, tools []describedTool, err error) {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	if len(text) == 0 {
		return "", nil, errors.New("it is empty")
	}
	var probe struct {
		Tool    json.RawMessage `json:"tool"`
		Tools   json.RawMessage `json:"tools"`
		Result  json.RawMessage `json:"result"`
		OpenAPI json.RawMessage `json:"openapi"`
		Swagger json.RawMessage `json:"swagger"`
	}
	// Only the first of several values is looked at: recorded calls are one a line.
	err = json.NewDecoder(bytes.NewReader(text)).Decode(&probe)
	switch {
	case text[0] == '[':
		tools, err = listedTools(text)
		return "MCP tools", tools, err
	case text[0] == '{' && err != nil:
		return "", nil, fmt.Errorf("it is not valid JSON: %w", err)
	case probe.Tools != nil, probe.Tool == nil && probe.Result != nil:
		tools, err = listedTools(text)
		return "MCP tools", tools, err
	case probe.Tool != nil:
		tools, err = calledTools(text)
		return "recorded calls", tools, err
	case probe.Swagger != nil:
		return "", nil, errors.New("it is a Swagger 2 document; convert it to OpenAPI 3 first")
	case probe.OpenAPI != nil, text[0] != '{':
		tools, err = operations(text)
		return "OpenAPI", tools, err
	}
	return "", nil, errors.New("it is neither an answer to tools/list, nor an OpenAPI document, nor recorded calls (JSON objects with tool and arguments)")
}

func suggest(t describedTool) suggestedTool {
	in := policy.Infer(t.Tool)
	if t.kind != "" {
		in.Kind, in.KindWhy, in.KindSure = t.kind, t.why, !t.unsure
	}
	s := suggestedTool{
		Name: t.Name, Description: firstSentence(t.Description), Kind: in.Kind, Why: in.KindWhy, Check: !in.KindSure,
		Arguments: []suggestedArgument{}, Remarks: append(append([]string{}, t.remarks...), in.Remarks...),
	}
	if in.Kind == policy.Read {
		return s // it passes unrecorded, so nothing is compared
	}
	for _, a := range in.Arguments {
		s.Arguments = append(s.Arguments, suggestArgument(a, t.seen[a.Name]))
	}
	return s
}

// firstSentence cuts a description to what fits a line.
func firstSentence(s string) string {
	const most = 140 // bytes, about
	s = strings.Join(strings.Fields(s), " ")
	if end := strings.Index(s, ". "); end > 0 {
		s = s[:end+1]
	}
	if len(s) <= most {
		return s
	}
	cut := strings.LastIndexByte(s[:most], ' ')
	if cut < 0 {
		cut = most
	}
	return strings.ToValidUTF8(s[:cut], "") + " …"
}
