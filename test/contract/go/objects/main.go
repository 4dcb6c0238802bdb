// Judges the objects of classes: reads them as the Azure provider does, with its types and its library.
//
// One question per line on stdin, one answer per line on stdout, both JSON.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/Azure/secrets-store-csi-driver-provider-azure/pkg/provider/types"
	"gopkg.in/yaml.v3"
)

type question struct {
	Objects string `json:"objects"`
}

type answer struct {
	Objects []types.KeyVaultObject `json:"objects"`
	Error   string                 `json:"error,omitempty"`
}

// trimmed takes the provider's step between reading an entry and checking it.
func trimmed(object types.KeyVaultObject) types.KeyVaultObject {
	for _, field := range []*string{
		&object.ObjectName, &object.ObjectAlias, &object.ObjectVersion, &object.ObjectType,
		&object.ObjectFormat, &object.ObjectEncoding, &object.FilePermission,
	} {
		*field = strings.TrimSpace(*field)
	}
	return object
}

// read takes the steps of getObjectsFromParameters in pkg/provider/provider.go up to the checks of single fields.
func read(objects string) (read answer) {
	read.Objects = []types.KeyVaultObject{}
	defer func() {
		if cause := recover(); cause != nil {
			read.Error = fmt.Sprintf("panic: %v", cause)
		}
	}()
	array, err := types.GetObjectsArray(types.GetObjects(map[string]string{types.ObjectsParameter: objects}))
	if err != nil {
		read.Error = err.Error()
		return read
	}
	for _, text := range array.Array {
		var object types.KeyVaultObject
		if err := yaml.Unmarshal([]byte(text), &object); err != nil {
			read.Error = err.Error()
			return read
		}
		read.Objects = append(read.Objects, trimmed(object))
	}
	return read
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			var asked question
			if json.Unmarshal(line, &asked) != nil || answers.Encode(read(asked.Objects)) != nil || out.Flush() != nil {
				os.Exit(1)
			}
		}
		if err != nil {
			return
		}
	}
}
