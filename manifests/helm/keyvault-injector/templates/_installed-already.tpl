{{/* What the cluster has already and a second install would fight with: a line for each. Nothing where the cluster cannot be asked. */}}

{{/* Of a list: an object of the cluster and the chart's root. Whose it is, where it is not this release's; else nothing. */}}
{{- define "keyvault-injector.other-owner" -}}
{{- $root := index . 1 -}}
{{- $annotations := (index . 0).metadata.annotations | default dict -}}
{{- $release := get $annotations "meta.helm.sh/release-name" -}}
{{- $namespace := get $annotations "meta.helm.sh/release-namespace" -}}
{{- if not $release -}}
manifests applied without Helm
{{- else if not (and (eq $release $root.Release.Name) (eq $namespace $root.Release.Namespace)) -}}
Helm release {{ $release }} of namespace {{ $namespace }}
{{- end -}}
{{- end -}}

{{- define "keyvault-injector.installed-already" -}}
{{- $root := . -}}
{{- $driver := index .Values "secrets-store-csi-driver" -}}
{{- $configuration := lookup "admissionregistration.k8s.io/v1" "MutatingWebhookConfiguration" "" "keyvault-injector" -}}
{{- if $configuration -}}
{{- $owner := include "keyvault-injector.other-owner" (list $configuration $root) -}}
{{- $where := (index $configuration.webhooks 0).clientConfig.service.namespace -}}
{{- /* Manifests in this very namespace may be taken over: Helm asks for --take-ownership by itself. */ -}}
{{- if and $owner (or (ne $where .Release.Namespace) (hasPrefix "Helm" $owner)) }}
- keyvault-injector is installed already, in namespace {{ $where }} by {{ $owner }}, and a cluster has one install: upgrade that one, or remove it first
{{- end -}}
{{- end -}}
{{- if $driver.install -}}
{{- $existing := lookup "storage.k8s.io/v1" "CSIDriver" "" "secrets-store.csi.k8s.io" -}}
{{- if $existing -}}
{{- $owner := include "keyvault-injector.other-owner" (list $existing $root) -}}
{{- if and $owner (hasPrefix "Helm" $owner) }}
- the cluster has the Secrets Store CSI driver from {{ $owner }}: keep it with --set secrets-store-csi-driver.install=false
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
