{{/* What is wrong with the namespaces that the worker is to serve: a line for each. */}}

{{- define "keyvault-injector.namespace-problems" -}}
{{- $root := . -}}
{{- range $name := .Values.namespaces | default list | uniq -}}
{{- if not (and (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $name) (le (len $name) 63)) }}
- namespaces: {{ $name | quote }} is no name of a namespace: write one name as an item, lower-case letters, digits and -, at most 63
{{- /* The release's own namespace may be made with it. */ -}}
{{- else if and (ne $name $root.Release.Namespace) (include "keyvault-injector.has-cluster" $root) (not (lookup "v1" "Namespace" "" $name)) }}
- namespaces: {{ $name }} is not in the cluster, and its RoleBinding needs it: `kubectl create namespace {{ $name }}` first, or leave it out
{{- end -}}
{{- end -}}
{{- end -}}
