{{/* Problems with the namespaces that the worker serves: one line each. */}}

{{- define "keyvault-injector.namespace-problems" -}}
{{- $root := . -}}
{{- range $name := .Values.namespaces | default list | uniq -}}
{{- if not (and (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $name) (le (len $name) 63)) }}
- namespaces: {{ $name | quote }} is not a valid namespace name. Use one name per item: at most 63 lowercase letters, digits, and hyphens
{{- /* Helm may create the release's namespace. */ -}}
{{- else if and (ne $name $root.Release.Namespace) (include "keyvault-injector.has-cluster" $root) (not (lookup "v1" "Namespace" "" $name)) }}
- namespaces: namespace {{ $name }} does not exist. Run `kubectl create namespace {{ $name }}` first, or omit it
{{- end -}}
{{- end -}}
{{- end -}}
