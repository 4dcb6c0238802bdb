{{/* What stands in the way of certificates by cert-manager, or of those of clients: a line for each. */}}
{{- define "keyvault-injector.certificate-problems" -}}
{{- $given := .Values.certManager | default dict -}}
{{- $issuer := $given.issuerRef | default dict -}}
{{- $kind := $issuer.kind | default "Issuer" -}}
{{- $isNamed := or $issuer.name $issuer.group (ne $kind "Issuer") -}}
{{- if and $given.enabled (include "keyvault-injector.has-cluster" .) (not (.Capabilities.APIVersions.Has "cert-manager.io/v1")) }}
- certManager.enabled: the cluster does not serve cert-manager.io/v1: install cert-manager first, its cainjector included, or leave it out
{{- end -}}
{{- if and $isNamed (not $given.enabled) }}
- certManager.issuerRef: nothing is issued where certManager.enabled is false: set it to true, or leave the issuer out
{{- end -}}
{{- if and $isNamed (not $issuer.name) }}
- certManager.issuerRef.name: an issuer's kind or group is given without it: name the issuer, or leave these out for a CA of the install's own
{{- end -}}
{{- if not (or (has $kind (list "Issuer" "ClusterIssuer")) (and $issuer.group (ne $issuer.group "cert-manager.io"))) }}
- certManager.issuerRef.kind: cert-manager has no {{ $kind | quote }}: write Issuer or ClusterIssuer, or give the group that has it
{{- end -}}
{{- $clients := .Values.clientCA | default dict -}}
{{- if and $clients.configMap $clients.secret }}
- clientCA: a ConfigMap and a Secret are given: name the one that has the CAs
{{- end -}}
{{- end -}}
