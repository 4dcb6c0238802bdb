// Runs Argo CD health scripts on the Lua interpreter that Argo CD runs them on, with the same few libraries.
//
// Standard input: one JSON object a line, {"script": "...", "object": {...}}. Standard output: one a line, {"status", "message"} or {"error"}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	lua "github.com/yuin/gopher-lua"
)

type question struct {
	Script string         `json:"script"`
	Object map[string]any `json:"object"`
}

type answer struct {
	Status  string `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if err := out.Encode(run(asked)); err != nil {
			os.Exit(2)
		}
	}
}

func run(asked question) answer {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	// No os, no io: what Argo CD leaves out where `useOpenLibs` is not set.
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.StringLibName: lua.OpenString, lua.MathLibName: lua.OpenMath,
	} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", toLua(state, asked.Object))
	if err := state.DoString(asked.Script); err != nil {
		return answer{Error: err.Error()}
	}
	table, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return answer{Error: "the script returns no table"}
	}
	return answer{Status: lua.LVAsString(table.RawGetString("status")), Message: lua.LVAsString(table.RawGetString("message"))}
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch given := value.(type) {
	case string:
		return lua.LString(given)
	case bool:
		return lua.LBool(given)
	case float64:
		return lua.LNumber(given)
	case []any:
		table := state.NewTable()
		for _, each := range given {
			table.Append(toLua(state, each))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, each := range given {
			table.RawSetString(key, toLua(state, each))
		}
		return table
	}
	return lua.LNil
}
