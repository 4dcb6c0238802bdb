{{/* Problems with cert-manager's certificates or the clients' CA: one line each. */}}
{{- define "keyvault-injector.certificate-problems" -}}
{{- $given := .Values.certManager | default dict -}}
{{- $issuer := $given.issuerRef | default dict -}}
{{- $kind := $issuer.kind | default "Issuer" -}}
{{- $isNamed := or $issuer.name $issuer.group (ne $kind "Issuer") -}}
{{- if and $given.enabled (include "keyvault-injector.has-cluster" .) (not (.Capabilities.APIVersions.Has "cert-manager.io/v1")) }}
- certManager.enabled: the cluster does not have the API cert-manager.io/v1. Install cert-manager first, including cainjector, or omit this value
{{- end -}}
{{- if and $isNamed (not $given.enabled) }}
- certManager.issuerRef: an issuer has no effect if certManager.enabled is false. Set certManager.enabled to true, or omit the issuer
{{- end -}}
{{- if and $isNamed (not $issuer.name) }}
- certManager.issuerRef.name: an issuer with a kind or group also needs a name. Set the name, or omit all three to create a CA for this install
{{- end -}}
{{- if not (or (has $kind (list "Issuer" "ClusterIssuer")) (and $issuer.group (ne $issuer.group "cert-manager.io"))) }}
- certManager.issuerRef.kind: cert-manager has no kind {{ $kind | quote }}. Use Issuer or ClusterIssuer, or set the group of this kind
{{- end -}}
{{- $clients := .Values.clientCA | default dict -}}
{{- if and $clients.configMap $clients.secret }}
- clientCA: both a ConfigMap and a Secret are set. Keep only the one that contains the CAs
{{- end -}}
{{- end -}}
