{{/* What stands in the way of monitoring: a line for each. */}}
{{- define "keyvault-injector.monitoring-problems" -}}
{{- $given := .Values.monitoring | default dict -}}
{{- if and (include "keyvault-injector.has-cluster" .) (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}
{{- range $part := list "podMonitor" "prometheusRule" -}}
{{- if (get $given $part | default dict).enabled }}
- monitoring.{{ $part }}.enabled: the cluster does not serve monitoring.coreos.com/v1: install the Prometheus operator first, or leave it out
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
