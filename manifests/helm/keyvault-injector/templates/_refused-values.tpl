{{/* Values that the chart knows and cannot follow: a line for each, with the reason. */}}

{{/* Of a list: the table and the values. */}}
{{- define "keyvault-injector.refused-values" -}}
{{- $values := index . 1 -}}
{{- range (index . 0).refused -}}
{{- $here := $values -}}
{{- range splitList "." .path -}}
{{- if kindIs "map" $here -}}
{{- $here = index $here . -}}
{{- end -}}
{{- end -}}
{{- if not (or (kindIs "invalid" $here) (has (toJson $here) .unless)) }}
- {{ .path }}: {{ toJson $here }} is refused: {{ .because }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Of a list: the provider's values and the driver's, of one operating system, and its name. */}}
{{- define "keyvault-injector.folder-problems" -}}
{{- $provider := index . 0 -}}
{{- $driver := index . 1 -}}
{{- $system := index . 2 -}}
{{- $roots := list (include "keyvault-injector.folder" $provider.kubeletRootDir) (include "keyvault-injector.folder" $driver.kubeletRootDir) -}}
{{- if ne (index $roots 0) (index $roots 1) }}
- {{ $system }}.kubeletRootDir is {{ index $roots 0 }} and secrets-store-csi-driver.{{ $system }}.kubeletRootDir is {{ index $roots 1 }}: a node has one, give both the same value
{{- end -}}
{{- $sockets := list (include "keyvault-injector.folder" $driver.providersDir) -}}
{{- range $driver.additionalProvidersDirs -}}
{{- $sockets = append $sockets (include "keyvault-injector.folder" .) -}}
{{- end -}}
{{- $socket := include "keyvault-injector.folder" $provider.providersDir -}}
{{- if not (has $socket $sockets) }}
- {{ $system }}.providersDir is {{ $socket }}, where the driver does not look: give secrets-store-csi-driver.{{ $system }}.providersDir the same value
{{- end -}}
{{- end -}}

{{/* A shard that nobody leads leaves its namespaces unserved. */}}
{{- define "keyvault-injector.shard-problems" -}}
{{- if lt (int .Values.sync.replicas) (int .Values.shards) }}
- sync.replicas is {{ .Values.sync.replicas }} and shards is {{ .Values.shards }}: each shard needs a pod of its own, set sync.replicas to {{ add1 (int .Values.shards) }}, which has one for standby
{{- end -}}
{{- if gt (int .Values.shards) 1 }}
{{- range .Values.eventQueues }}
{{- if not (contains "{shard}" .) }}
- eventQueues: {{ . }}: with shards={{ $.Values.shards }} each shard reads a queue of its own, which has to get every event, write {shard} where the number of the shard stands in its name, such as vault-events-{shard}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.sync.extraArgs }}
{{- if hasPrefix "--shards" . }}
- sync.extraArgs: {{ . }}: shards need permissions that come with the value shards, set that instead
{{- end -}}
{{- end -}}
{{- range .Values.sync.extraEnv }}
{{- if eq .name "KEYVAULT_INJECTOR_SHARDS" }}
- sync.extraEnv: {{ .name }}: shards need permissions that come with the value shards, set that instead
{{- end -}}
{{- end -}}
{{- if lt (int .Values.maxRollouts) (int .Values.shards) }}
- maxRollouts is {{ .Values.maxRollouts }} and shards is {{ .Values.shards }}: each shard restarts its share, set maxRollouts to {{ .Values.shards }} or more
{{- end -}}
{{- end -}}

{{/* Driver 1.5 rotates by reading every labelled Secret, for which it has no right here. */}}
{{- define "keyvault-injector.version-problems" -}}
{{- $driver := index .Values "secrets-store-csi-driver" -}}
{{- range $system := list "linux" "windows" -}}
{{- $values := get $driver $system -}}
{{- $version := regexFind "^v?[0-9]+[.][0-9]+[.][0-9]+" (toString $values.image.tag) -}}
{{- if and $driver.install $values.enabled (eq (include "keyvault-injector.rotation" $) "true") $version (not $values.image.digest) -}}
{{- if semverCompare "<1.6.0" $version }}
- secrets-store-csi-driver.{{ $system }}.image.tag: {{ $values.image.tag }} rotates mounts by reading Secrets of the whole cluster, a right that it is not given here: leave the tag out, or take v1.6.0 or newer
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
