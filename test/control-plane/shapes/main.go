// Prints how kube-apiserver reads and writes the built-in kinds that the simulated API server has, one type a line: its fields, what an
// empty one looks like, and how server-side apply takes its lists and maps. All of it from the Go types and the OpenAPI definitions of the
// version that the tests run. test/simulation/api/schema/shapes.ts reads it.
//
//	go run ./shapes > ../simulation/api/schema/shapes.txt
package main

import (
	"fmt"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/generated/openapi"
)

var roots = []any{
	corev1.Secret{}, corev1.ConfigMap{}, corev1.Pod{}, corev1.ServiceAccount{}, corev1.Namespace{}, corev1.Event{}, corev1.Service{},
	appsv1.ControllerRevision{}, appsv1.Deployment{}, appsv1.StatefulSet{}, appsv1.DaemonSet{}, appsv1.ReplicaSet{},
	coordinationv1.Lease{}, policyv1.PodDisruptionBudget{}, schedulingv1.PriorityClass{}, storagev1.CSIDriver{},
	rbacv1.Role{}, rbacv1.RoleBinding{}, rbacv1.ClusterRole{}, rbacv1.ClusterRoleBinding{},
	admissionv1.MutatingWebhookConfiguration{}, admissionv1.ValidatingWebhookConfiguration{},
	admissionv1.ValidatingAdmissionPolicy{}, admissionv1.ValidatingAdmissionPolicyBinding{},
	apiextensionsv1.CustomResourceDefinition{},
	authorizationv1.SelfSubjectAccessReview{}, authenticationv1.TokenRequest{},
}

// Types that read and write themselves.
var scalars = map[string]string{
	"meta/v1.Time": "time", "meta/v1.MicroTime": "microtime", "meta/v1.Duration": "string", "meta/v1.FieldsV1": "any",
	"resource.Quantity": "quantity", "intstr.IntOrString": "int-or-string", "runtime.RawExtension": "any",
	"apiextensions/v1.JSON": "any", "apiextensions/v1.JSONSchemaPropsOrBool": "any", "apiextensions/v1.JSONSchemaPropsOrArray": "any",
	"apiextensions/v1.JSONSchemaPropsOrStringArray": "any",
}

type walker struct {
	definitions map[string]common.OpenAPIDefinition
	types       map[string]map[string]string
}

func main() {
	reference := func(name string) spec.Ref { return spec.MustCreateRef("#/" + name) }
	w := walker{definitions: openapi.GetOpenAPIDefinitions(reference), types: map[string]map[string]string{}}
	for _, root := range roots {
		w.visit(reflect.TypeOf(root))
	}
	for _, name := range slices.Sorted(maps.Keys(w.types)) {
		line := name
		for _, field := range slices.Sorted(maps.Keys(w.types[name])) {
			line += " " + field + "=" + w.types[name][field]
		}
		fmt.Println(line)
	}
}

func longName(t reflect.Type) string {
	parts := strings.Split(t.PkgPath(), "/")
	last := parts[len(parts)-1]
	if strings.HasPrefix(last, "v1") {
		return parts[len(parts)-2] + "/" + last + "." + t.Name()
	}
	return last + "." + t.Name()
}

func shortName(t reflect.Type) string { return strings.Replace(longName(t), "/v1.", ".", 1) }

func (w *walker) schemaOf(t reflect.Type) (spec.Schema, bool) {
	for _, prefix := range []string{t.PkgPath(), path.Base(t.PkgPath())} {
		if found, ok := w.definitions[prefix+"."+t.Name()]; ok {
			return found.Schema, true
		}
	}
	if named, ok := reflect.New(t).Elem().Interface().(interface{ OpenAPIModelName() string }); ok {
		found, ok := w.definitions[named.OpenAPIModelName()]
		return found.Schema, ok
	}
	return spec.Schema{}, false
}

func (w *walker) visit(t reflect.Type) {
	name := shortName(t)
	if _, seen := w.types[name]; seen {
		return
	}
	fields := map[string]string{}
	w.types[name] = fields
	schema, known := w.schemaOf(t)
	if !known {
		fmt.Fprintln(os.Stderr, "no OpenAPI definition of", name)
	}
	if schema.Extensions["x-kubernetes-map-type"] == "atomic" {
		fields["@"] = "atomic"
	}
	w.fieldsOf(t, schema, fields)
}

func (w *walker) fieldsOf(t reflect.Type, schema spec.Schema, into map[string]string) {
	for i := range t.NumField() {
		field := t.Field(i)
		tag := strings.Split(field.Tag.Get("json"), ",")
		if field.Anonymous && tag[0] == "" {
			w.fieldsOf(field.Type, schema, into)
			continue
		}
		if tag[0] == "-" || tag[0] == "" {
			continue
		}
		into[tag[0]] = w.shapeOf(field.Type, schema.Properties[tag[0]]) + flags(field.Type, tag[1:])
	}
}

// `!`: shown when empty. `*`: a pointer, so that an empty value is not the same as none.
func flags(t reflect.Type, options []string) string {
	omitsEmpty, omitsZero := false, false
	for _, option := range options {
		omitsEmpty = omitsEmpty || option == "omitempty"
		omitsZero = omitsZero || option == "omitzero"
	}
	if t.Kind() == reflect.Pointer {
		if omitsEmpty || omitsZero {
			return "*"
		}
		return "*!"
	}
	if omitsZero || (omitsEmpty && t.Kind() != reflect.Struct) {
		return ""
	}
	return "!"
}

func (w *walker) shapeOf(t reflect.Type, schema spec.Schema) string {
	if scalar, ok := scalars[longName(t)]; ok {
		return scalar
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.shapeOf(t.Elem(), schema)
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int32, reflect.Int64, reflect.Int:
		return "int"
	case reflect.Float64:
		return "number"
	case reflect.Struct:
		w.visit(t)
		return shortName(t)
	case reflect.Map:
		inner := spec.Schema{}
		if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
			inner = *schema.AdditionalProperties.Schema
		}
		kind := "map:"
		if schema.Extensions["x-kubernetes-map-type"] == "atomic" {
			kind = "atomic-map:"
		}
		return kind + w.shapeOf(t.Elem(), inner)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		inner := spec.Schema{}
		if schema.Items != nil && schema.Items.Schema != nil {
			inner = *schema.Items.Schema
		}
		return w.listKind(t, schema) + w.shapeOf(t.Elem(), inner)
	default:
		return "any"
	}
}

func (w *walker) listKind(t reflect.Type, schema spec.Schema) string {
	switch schema.Extensions["x-kubernetes-list-type"] {
	case "set":
		return "set:"
	case "map":
		keys := []string{}
		element := t.Elem()
		item, _ := w.schemaOf(element)
		for _, key := range schema.Extensions["x-kubernetes-list-map-keys"].([]any) {
			text := key.(string)
			if fallback := item.Properties[text].Default; fallback != nil && fallback != "" {
				text += fmt.Sprintf("=%v", fallback)
			}
			keys = append(keys, text)
		}
		return "keyed(" + strings.Join(keys, ",") + "):"
	case "atomic":
		return "list:"
	}
	// If nothing else is specified, the merge key of client-side apply decides.
	if strategy, _ := schema.Extensions["x-kubernetes-patch-strategy"].(string); strings.HasPrefix(strategy, "merge") {
		if key, ok := schema.Extensions["x-kubernetes-patch-merge-key"].(string); ok {
			return "keyed(" + key + "):"
		}
		return "set:"
	}
	return "list:"
}
