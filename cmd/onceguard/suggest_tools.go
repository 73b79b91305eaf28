package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/onceguard/onceguard/policy"
)

// listedTool is a tool as an MCP server lists it (schema of the protocol, revision 2025-06-18). What is not needed is
// ignored: servers add members of their own.
type listedTool struct {
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	InputSchema json.RawMessage `json:"inputSchema"`
	Annotations struct {
		ReadOnly    *bool `json:"readOnlyHint"`
		Destructive *bool `json:"destructiveHint"`
		Idempotent  *bool `json:"idempotentHint"`
	} `json:"annotations"`
}

// listedTools reads an answer to tools/list: the message of JSON-RPC, its result, or only the list.
func listedTools(text []byte) ([]describedTool, error) {
	var message struct {
		Tools  *[]listedTool `json:"tools"`
		Result struct {
			Tools *[]listedTool `json:"tools"`
		} `json:"result"`
		Error json.RawMessage `json:"error"`
	}
	if bytes.HasPrefix(text, []byte("[")) {
		message.Tools = new([]listedTool)
		if err := json.Unmarshal(text, message.Tools); err != nil {
			return nil, fmt.Errorf("it is not a list of MCP tools: %w", err)
		}
	} else if err := json.Unmarshal(text, &message); err != nil {
		return nil, fmt.Errorf("it is not an answer to tools/list: %w", err)
	}
	list := message.Tools
	if list == nil {
		list = message.Result.Tools
	}
	if list == nil {
		return nil, errors.New("it is not an answer to tools/list: it has no tools")
	}
	tools := make([]describedTool, len(*list))
	for i, l := range *list {
		description := l.Description
		if description == "" {
			description = l.Title
		}
		tools[i].Tool = policy.Tool{
			Name: l.Name, Description: description, Schema: l.InputSchema,
			ReadOnly: l.Annotations.ReadOnly, Destructive: l.Annotations.Destructive, Idempotent: l.Annotations.Idempotent,
		}
	}
	return tools, nil
}
