{{/* Problems with monitoring: one line each. */}}
{{- define "keyvault-injector.monitoring-problems" -}}
{{- $given := .Values.monitoring | default dict -}}
{{- if and (include "keyvault-injector.has-cluster" .) (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}
{{- range $part := list "podMonitor" "prometheusRule" -}}
{{- if (get $given $part | default dict).enabled }}
- monitoring.{{ $part }}.enabled: the cluster does not have the API monitoring.coreos.com/v1. Install the Prometheus operator first, or omit this value
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
