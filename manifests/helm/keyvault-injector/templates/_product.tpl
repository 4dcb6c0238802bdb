{{/* Whether there is a cluster to ask: there is none where manifests are only rendered. */}}
{{- define "keyvault-injector.has-cluster" -}}
{{- if lookup "v1" "Namespace" "" "kube-system" -}}true{{- end -}}
{{- end -}}

{{/*
Whether driver and provider are healed: as the value says, else not where the worker is to have as few rights as it can; else with the
extension's defaults, what it was in an upgrade, and not in a new install.
*/}}
{{- define "keyvault-injector.heals-node-side" -}}
{{- $isWanted := false -}}
{{- if kindIs "bool" .Values.healNodeSide -}}
{{- $isWanted = .Values.healNodeSide -}}
{{- else if and (ne .Values.secretAccess "blind") (ne .Values.classAuthors "deny") -}}
{{- if eq (toString .Values.preset) "extension" -}}
{{- $isWanted = true -}}
{{- else if .Release.IsUpgrade -}}
{{- $isWanted = eq (include "keyvault-injector.healed-node-side-before" .) "true" -}}
{{- end -}}
{{- end -}}
{{- if and $isWanted (has "components" .Values.heal) -}}true{{- end -}}
{{- end -}}

{{/*
What an upgrade keeps: the flag that the install has, as its PodTemplate says, which the worker can't write. An install without the flag healed
driver and provider with its other components. Nothing where there is no cluster to ask.
*/}}
{{- define "keyvault-injector.healed-node-side-before" -}}
{{- $name := "keyvault-injector-sync" -}}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace $name -}}
{{- if $deployment -}}
{{- $pods := (lookup "v1" "PodTemplate" .Release.Namespace $name).template | default ($deployment.spec).template | default dict -}}
{{- $before := "true" -}}
{{- range ($pods.spec).containers -}}
{{- range .args -}}
{{- if hasPrefix "--heal-node-side=" . -}}
{{- $before = trimPrefix "--heal-node-side=" . -}}
{{- else if and (hasPrefix "--heal=" .) (not (contains "components" .)) -}}
{{- $before = "false" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $before -}}
{{- end -}}
{{- end -}}

{{/*
Of a list: the chart's root, a value and the worker's flag. The value where it is given; else off with the extension's defaults, what it was in
an upgrade, and on in a new install.
*/}}
{{- define "keyvault-injector.decided" -}}
{{- $root := index . 0 -}}
{{- $given := index . 1 -}}
{{- $flag := printf "--%s=" (index . 2) -}}
{{- $decided := ne (toString $root.Values.preset) "extension" -}}
{{- if kindIs "bool" $given -}}
{{- $decided = $given -}}
{{- else if and $decided $root.Release.IsUpgrade -}}
{{- $deployment := lookup "apps/v1" "Deployment" $root.Release.Namespace "keyvault-injector-sync" -}}
{{- range ((($deployment.spec).template).spec).containers -}}
{{- range .args -}}
{{- if hasPrefix $flag . -}}
{{- $decided = eq (trimPrefix $flag .) "true" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $decided -}}
{{- end -}}

{{- define "keyvault-injector.sync-secret" -}}
{{- include "keyvault-injector.decided" (list . ((index .Values "secrets-store-csi-driver").syncSecret).enabled "sync-secret") -}}
{{- end -}}

{{- define "keyvault-injector.rotation" -}}
{{- include "keyvault-injector.decided" (list . (index .Values "secrets-store-csi-driver").enableSecretRotation "enable-secret-rotation") -}}
{{- end -}}

{{/* Namespaces whose classes may use the node's identity, with commas between them. */}}
{{- define "keyvault-injector.managed-identity-namespaces" -}}
{{- if kindIs "slice" .Values.managedIdentityNamespaces -}}
{{- join "," .Values.managedIdentityNamespaces -}}
{{- else if eq (toString .Values.preset) "extension" -}}
*
{{- else if .Release.IsUpgrade -}}
{{- include "keyvault-injector.managed-identity-before" . -}}
{{- end -}}
{{- end -}}

{{/*
What an upgrade keeps: the flag that the install has, as its PodTemplate says, which the worker can't write. An install before 0.4.0 had none,
and no limit: those namespaces that use the node's identity today. Nothing where there is no cluster to ask.
*/}}
{{- define "keyvault-injector.managed-identity-before" -}}
{{- $name := "keyvault-injector-sync" -}}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace $name -}}
{{- if lookup "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicy" "" "keyvault-injector-sync-pods" -}}
{{- $pods := (lookup "v1" "PodTemplate" .Release.Namespace $name).template | default ($deployment.spec).template | default dict -}}
{{- range ($pods.spec).containers -}}
{{- range .args -}}
{{- if hasPrefix "--managed-identity-namespaces=" . -}}
{{- trimPrefix "--managed-identity-namespaces=" . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- else if $deployment -}}
{{- $namespaces := list -}}
{{- range (lookup "secrets-store.csi.x-k8s.io/v1" "SecretProviderClass" "" "").items -}}
{{- $parameters := .spec.parameters | default dict -}}
{{- $isOn := has (get $parameters "useVMManagedIdentity" | toString | trim) (list "1" "t" "T" "true" "True" "TRUE") -}}
{{- if and (eq (toString .spec.provider) "azure") $isOn .spec.secretObjects -}}
{{- $namespaces = append $namespaces .metadata.namespace -}}
{{- end -}}
{{- end -}}
{{- $namespaces | uniq | sortAlpha | join "," -}}
{{- end -}}
{{- end -}}

{{/* Audiences of tokens that the kubelet hands to the driver, as a list of a policy's language. */}}
{{- define "keyvault-injector.token-audiences" -}}
{{- $audiences := list -}}
{{- range (index .Values "secrets-store-csi-driver").tokenRequests -}}
{{- $audiences = append $audiences (toString .audience) -}}
{{- end -}}
{{- toJson $audiences -}}
{{- end -}}

{{/* A folder of a node as the manifests write it: single backslashes, no slash at its end. */}}
{{- define "keyvault-injector.folder" -}}
{{- . | toString | replace `\\` `\` | trimSuffix "/" | trimSuffix `\` -}}
{{- end -}}

{{/* The image of upstream's values: a digest wins over a tag. */}}
{{- define "keyvault-injector.image" -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository .tag -}}
{{- end -}}
{{- end -}}

{{/* Our image: a text is its whole name, as up to 0.4.0. A release of an older chart may lack the parts. */}}
{{- define "keyvault-injector.own-image" -}}
{{- if kindIs "string" .Values.image -}}
{{- .Values.image -}}
{{- else -}}
{{- $given := .Values.image | default dict -}}
{{- $tag := $given.tag | default .Chart.AppVersion -}}
{{- include "keyvault-injector.image" (dict "repository" ($given.repository | default .Chart.Name) "tag" $tag "digest" $given.digest) -}}
{{- end -}}
{{- end -}}

{{/*
An image with the version of another release: its program lacks settings and rights of these manifests, or has others. One line. A tag of
another form, a version with a suffix, and a digest are the user's own choice. So is a version with a higher major number than the chart's.
*/}}
{{- define "keyvault-injector.image-problems" -}}
{{- $image := include "keyvault-injector.own-image" . -}}
{{- $tag := regexFind ":v?[0-9]+[.][0-9]+[.][0-9]+$" $image | trimPrefix ":" -}}
{{- $version := trimPrefix "v" $tag -}}
{{- if and $tag (ne $version .Chart.AppVersion) (semverCompare (printf "<%d.0.0-0" (add1 (semver .Chart.AppVersion).Major)) $version) }}
{{- $wrong := printf "is version %s, but this chart installs %s, and its manifests require the program of the same version" $version .Chart.AppVersion }}
{{- if kindIs "string" .Values.image }}
- image: {{ $image }} {{ $wrong }}. Set image.repository={{ trimSuffix (printf ":%s" $tag) $image }} without a tag. To run another version on purpose, set its digest
{{- else }}
- image.tag: {{ $tag }} {{ $wrong }}. Omit image.tag. To run another version on purpose, set image.digest
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Our image where its name has no registry, and nothing says that the user loaded it on the nodes: a tag or a pull policy of their own. */}}
{{- define "keyvault-injector.unplaced-image" -}}
{{- $given := kindIs "map" .Values.image | ternary .Values.image dict -}}
{{- $image := include "keyvault-injector.own-image" . -}}
{{- if not (or (contains "/" $image) $given.tag (eq (include "keyvault-injector.own-pull-policy" .) "Never")) -}}
{{- $image -}}
{{- end -}}
{{- end -}}

{{- define "keyvault-injector.own-pull-policy" -}}
{{- $given := kindIs "map" .Values.image | ternary .Values.image dict -}}
{{- .Values.imagePullPolicy | default $given.pullPolicy | default "IfNotPresent" -}}
{{- end -}}

{{/* Of a list: the chart's root, and labels of one object. What says which release an object came with. */}}
{{- define "keyvault-injector.labels" -}}
{{- $root := index . 0 -}}
{{- $chart := printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- $labels := dict "app.kubernetes.io/instance" $root.Release.Name "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- toYaml (merge $labels (dict "helm.sh/chart" $chart) (index . 1 | default dict) ($root.Values.commonLabels | default dict)) -}}
{{- end -}}

{{/* Of a list: the chart's root, and labels of one process's pods, beside those that selectors are by. */}}
{{- define "keyvault-injector.pod-labels" -}}
{{- $root := index . 0 -}}
{{- $labels := dict "app.kubernetes.io/instance" $root.Release.Name "app.kubernetes.io/version" $root.Chart.AppVersion -}}
{{- toYaml (merge (dict) (index . 1 | default dict) ($root.Values.commonLabels | default dict) $labels) -}}
{{- end -}}

{{/* The port of an address such as `:8095`, `"8898"` or 8898. */}}
{{- define "keyvault-injector.port" -}}
{{- splitList ":" (toString .) | last -}}
{{- end -}}

{{/* Whether the proxy's CA is mounted. */}}
{{- define "keyvault-injector.proxy-certificate" -}}
{{- with .Values.Azure.proxySettings -}}
{{- if and .isProxyEnabled .proxyCert -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* Processes read their variables at start: a changed proxy makes new pods. */}}
{{- define "keyvault-injector.proxy-checksum" -}}
{{- if .Values.Azure.proxySettings.isProxyEnabled }}
checksum/proxy: {{ toJson .Values.Azure.proxySettings | sha256sum }}
{{- end }}
{{- end -}}

{{- define "keyvault-injector.sync-annotations" -}}
{{- with .Values.sync.podAnnotations }}
{{- toYaml . }}
{{- end }}
{{- include "keyvault-injector.proxy-checksum" . }}
{{- end -}}

{{/* A list: the chart's root and the values of the operating system. */}}
{{- define "keyvault-injector.provider-annotations" -}}
{{- with (index . 1).podAnnotations }}
{{- toYaml . }}
{{- end }}
{{- include "keyvault-injector.proxy-checksum" (index . 0) }}
{{- end -}}

{{- define "keyvault-injector.sync-mounts" -}}
{{- if include "keyvault-injector.proxy-certificate" . }}
- name: proxy-certificate
  mountPath: /etc/keyvault-injector/proxy
  readOnly: true
{{- end }}
{{- with .Values.sync.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "keyvault-injector.sync-volumes" -}}
{{- if include "keyvault-injector.proxy-certificate" . }}
- name: proxy-certificate
  secret:
    secretName: keyvault-injector-proxy-certificate
{{- end }}
{{- with .Values.sync.volumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Names and values of the proxy's variables; a proxy's address may hold a password, so they go into a Secret. */}}
{{- define "keyvault-injector.proxy-variables" -}}
{{- with .Values.Azure.proxySettings }}
{{- with .httpProxy }}
HTTP_PROXY: {{ . | b64enc | quote }}
{{- end }}
{{- with .httpsProxy }}
HTTPS_PROXY: {{ . | b64enc | quote }}
{{- end }}
{{- with .noProxy }}
NO_PROXY: {{ . | b64enc | quote }}
{{- end }}
{{- end }}
{{- end -}}
