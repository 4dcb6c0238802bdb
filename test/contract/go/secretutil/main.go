// Judges Secret data: makes of mounted files what the Secrets Store CSI driver makes of them, with the driver's own code.
//
// One question per line on stdin, one answer per line on stdout, both JSON.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	secretsstorev1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"
	"sigs.k8s.io/secrets-store-csi-driver/pkg/util/fileutil"
	"sigs.k8s.io/secrets-store-csi-driver/pkg/util/secretutil"
	"sigs.k8s.io/secrets-store-csi-driver/provider/v1alpha1"
)

type file struct {
	Path     string `json:"path"`
	Contents []byte `json:"contents"`
}

type question struct {
	Object secretsstorev1.SecretObject `json:"object"`
	Files  []file                      `json:"files"`
}

type answer struct {
	Name  string            `json:"name,omitempty"`
	Type  string            `json:"type,omitempty"`
	Data  map[string][]byte `json:"data,omitempty"`
	Error string            `json:"error,omitempty"`
	// Where the files were mounted; it occurs in errors.
	Target string `json:"target,omitempty"`
}

// mount writes files as the driver does when a provider has handed them over.
func mount(target string, files []file) error {
	payloads := make([]*v1alpha1.File, 0, len(files))
	for _, each := range files {
		payloads = append(payloads, &v1alpha1.File{Path: each.Path, Mode: 0o644, Contents: each.Contents})
	}
	return fileutil.WritePayloads(target, payloads)
}

// secretOf takes the steps of the driver's controller from a mount to the Secret that it creates.
func secretOf(object secretsstorev1.SecretObject, target string) (answer, error) {
	mounted, err := fileutil.GetMountedFiles(target)
	if err != nil {
		return answer{}, fmt.Errorf("cannot list the mount: %w", err)
	}
	if err := secretutil.ValidateSecretObject(object); err != nil {
		return answer{}, err
	}
	kind := secretutil.GetSecretType(strings.TrimSpace(object.Type))
	data, err := secretutil.GetSecretData(object.Data, kind, mounted)
	if err != nil {
		return answer{}, err
	}
	return answer{Name: strings.TrimSpace(object.SecretName), Type: string(kind), Data: data}, nil
}

func judge(line []byte) (verdict answer) {
	defer func() {
		if cause := recover(); cause != nil {
			verdict.Error = fmt.Sprintf("panic: %v", cause)
		}
	}()
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{Error: "unreadable question: " + err.Error()}
	}
	target, err := os.MkdirTemp("", "mount-")
	if err != nil {
		return answer{Error: "no folder: " + err.Error()}
	}
	defer os.RemoveAll(target)
	if err := mount(target, asked.Files); err != nil {
		return answer{Error: "mount: " + err.Error(), Target: target}
	}
	verdict, err = secretOf(asked.Object, target)
	if err != nil {
		verdict.Error = err.Error()
	}
	verdict.Target = target
	return verdict
}

func main() {
	// The values of one question may fill a Secret several times over.
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			if err := answers.Encode(judge(line)); err != nil {
				os.Exit(1)
			}
		}
		if err != nil {
			return
		}
	}
}
