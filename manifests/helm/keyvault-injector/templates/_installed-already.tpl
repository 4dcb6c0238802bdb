{{/* Existing objects with which a second install would conflict: one line each. Empty if there is no cluster to query. */}}

{{/* Takes a list: an object in the cluster, and the chart's root. The owner of the object, or empty if this release owns it. */}}
{{- define "keyvault-injector.other-owner" -}}
{{- $root := index . 1 -}}
{{- $annotations := (index . 0).metadata.annotations | default dict -}}
{{- $release := get $annotations "meta.helm.sh/release-name" -}}
{{- $namespace := get $annotations "meta.helm.sh/release-namespace" -}}
{{- if not $release -}}
manifests applied without Helm
{{- else if not (and (eq $release $root.Release.Name) (eq $namespace $root.Release.Namespace)) -}}
Helm release {{ $release }} in namespace {{ $namespace }}
{{- end -}}
{{- end -}}

{{- define "keyvault-injector.installed-already" -}}
{{- $root := . -}}
{{- $driver := index .Values "secrets-store-csi-driver" -}}
{{- $configuration := lookup "admissionregistration.k8s.io/v1" "MutatingWebhookConfiguration" "" "keyvault-injector" -}}
{{- if $configuration -}}
{{- $owner := include "keyvault-injector.other-owner" (list $configuration $root) -}}
{{- $where := (index $configuration.webhooks 0).clientConfig.service.namespace -}}
{{- /* Helm can adopt manifests in this namespace. Helm itself then requires --take-ownership. */ -}}
{{- if and $owner (or (ne $where .Release.Namespace) (hasPrefix "Helm" $owner)) }}
- keyvault-injector is already installed in namespace {{ $where }} by {{ $owner }}. A cluster can have only one install. Upgrade the existing install, or remove it first
{{- end -}}
{{- end -}}
{{- if $driver.install -}}
{{- $existing := lookup "storage.k8s.io/v1" "CSIDriver" "" "secrets-store.csi.k8s.io" -}}
{{- if $existing -}}
{{- $owner := include "keyvault-injector.other-owner" (list $existing $root) -}}
{{- if and $owner (hasPrefix "Helm" $owner) }}
- the cluster already has the Secrets Store CSI driver, installed by {{ $owner }}. To keep it, use --set secrets-store-csi-driver.install=false
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
