// Judges manifests: reads a file as kubectl's builder does, with the code that kubectl has.
//
// One question per line on stdin, one answer per line on stdout, both JSON.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
)

type question struct {
	// Bytes of the file.
	File []byte `json:"file"`
}

// document is one that the builder hands on; exactly one field is set.
type document struct {
	// JSON in a string: the digits of a number are compared too.
	Value string `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

type answer struct {
	Documents []document `json:"documents"`
	// The error that ended the read before the end of the file.
	Error string `json:"error,omitempty"`
}

// bufferSize is the one of the builder: how far it looks for an open brace.
const bufferSize = 4096

// decoded takes the step from the builder's JSON to an object of kubectl: integers of 64 bits stay integers.
func decoded(raw []byte) document {
	var value any
	if err := utiljson.Unmarshal(raw, &value); err != nil {
		return document{Error: err.Error()}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return document{Error: err.Error()}
	}
	return document{Value: strings.TrimSpace(text.String())}
}

// read takes the steps of FileVisitor and StreamVisitor in k8s.io/cli-runtime/pkg/resource.
func read(file []byte) (read answer) {
	read.Documents = []document{}
	defer func() {
		if cause := recover(); cause != nil {
			read.Error = fmt.Sprintf("panic: %v", cause)
		}
	}()
	text := transform.NewReader(bytes.NewReader(file), unicode.BOMOverride(unicode.UTF8.NewDecoder()))
	decoder := yaml.NewYAMLOrJSONDecoder(text, bufferSize)
	for {
		ext := runtime.RawExtension{}
		if err := decoder.Decode(&ext); err != nil {
			if err != io.EOF {
				read.Error = err.Error()
			}
			return read
		}
		raw := bytes.TrimSpace(ext.Raw)
		if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			continue
		}
		read.Documents = append(read.Documents, decoded(raw))
	}
}

func judge(line []byte) answer {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{Error: "unreadable question: " + err.Error()}
	}
	return read(asked.File)
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			if answers.Encode(judge(line)) != nil || out.Flush() != nil {
				os.Exit(1)
			}
		}
		if err != nil {
			return
		}
	}
}
