{{/* Values that the chart rejects: one line each, with the reason. */}}

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
- {{ .path }}: {{ toJson $here }} is not supported: {{ .because }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A Go duration in milliseconds. */}}
{{- define "keyvault-injector.milliseconds" -}}
{{- $total := 0.0 -}}
{{- range regexFindAll "[0-9]+([.][0-9]+)?(ms|s|m|h)" (toString .) -1 -}}
{{- $number := regexFind "^[0-9.]+" . -}}
{{- $total = addf $total (mulf $number (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000) (trimPrefix $number .))) -}}
{{- end -}}
{{- $total -}}
{{- end -}}

{{/* Durations that a process would refuse, and so not start. Of a list: the table and the values. */}}
{{- define "keyvault-injector.bound-problems" -}}
{{- $values := index . 1 -}}
{{- range (index . 0).bounds -}}
{{- $here := $values -}}
{{- range splitList "." .path -}}
{{- if kindIs "map" $here -}}
{{- $here = index $here . -}}
{{- end -}}
{{- end -}}
{{- if $here -}}
{{- $given := include "keyvault-injector.milliseconds" $here | float64 -}}
{{- if or (lt $given (float64 .least)) (and (hasKey . "most") (gt $given (float64 .most))) }}
- {{ .path }}: {{ $here }} is not allowed. Use a duration of {{ .written }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The worker stops if it has queues and no polls, because events only trigger earlier polls. */}}
{{- define "keyvault-injector.queue-problems" -}}
{{- if and .Values.eventQueues (ne (include "keyvault-injector.rotation" .) "true") }}
- eventQueues: events only trigger earlier polls, and rotation is off, so there are none. Set secrets-store-csi-driver.enableSecretRotation to true, or omit eventQueues
{{- end -}}
{{- end -}}

{{/* Values that need a later Kubernetes than the chart. */}}
{{- define "keyvault-injector.kubernetes-problems" -}}
{{- $version := .Capabilities.KubeVersion.Version -}}
{{- $mode := (.Values.injection).mode | default "webhook" -}}
{{- if and (ne $mode "webhook") (semverCompare "<1.36-0" $version) }}
- injection.mode: {{ $mode }} requires Kubernetes 1.36 or later, but the version is {{ $version }}. Use webhook. If you render for another cluster, set its version with --kube-version
{{- end -}}
{{- end -}}

{{/* Of a list: the provider's values and the driver's, of one operating system, and its name. */}}
{{- define "keyvault-injector.folder-problems" -}}
{{- $provider := index . 0 -}}
{{- $driver := index . 1 -}}
{{- $system := index . 2 -}}
{{- $roots := list (include "keyvault-injector.folder" $provider.kubeletRootDir) (include "keyvault-injector.folder" $driver.kubeletRootDir) -}}
{{- if ne (index $roots 0) (index $roots 1) }}
- {{ $system }}.kubeletRootDir is {{ index $roots 0 }}, but secrets-store-csi-driver.{{ $system }}.kubeletRootDir is {{ index $roots 1 }}. Set both to the same folder
{{- end -}}
{{- $sockets := list (include "keyvault-injector.folder" $driver.providersDir) -}}
{{- range $driver.additionalProvidersDirs -}}
{{- $sockets = append $sockets (include "keyvault-injector.folder" .) -}}
{{- end -}}
{{- $socket := include "keyvault-injector.folder" $provider.providersDir -}}
{{- if not (has $socket $sockets) }}
- {{ $system }}.providersDir is {{ $socket }}, a folder that the driver does not check. Set secrets-store-csi-driver.{{ $system }}.providersDir to the same folder
{{- end -}}
{{- end -}}

{{/* Each shard needs a pod, or the worker does not serve its namespaces. */}}
{{- define "keyvault-injector.shard-problems" -}}
{{- if lt (int .Values.sync.replicas) (int .Values.shards) }}
- sync.replicas is {{ .Values.sync.replicas }}, but shards is {{ .Values.shards }}. Each shard needs its own pod. Set sync.replicas to {{ add1 (int .Values.shards) }}, which includes one standby pod
{{- end -}}
{{- if gt (int .Values.shards) 1 }}
{{- range .Values.eventQueues }}
{{- if not (contains "{shard}" .) }}
- eventQueues: {{ . }}: with shards={{ $.Values.shards }}, each shard reads its own queue, and each queue must receive every event. In the queue name, write {shard} instead of the shard number, for example vault-events-{shard}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.sync.extraArgs }}
{{- if hasPrefix "--shards" . }}
- sync.extraArgs: {{ . }}: set the value `shards` instead, which also adds the necessary permissions
{{- end -}}
{{- end -}}
{{- range .Values.sync.extraEnv }}
{{- if eq .name "KEYVAULT_INJECTOR_SHARDS" }}
- sync.extraEnv: {{ .name }}: set the value `shards` instead, which also adds the necessary permissions
{{- end -}}
{{- end -}}
{{- if lt (int .Values.maxRollouts) (int .Values.shards) }}
- maxRollouts is {{ .Values.maxRollouts }}, but shards is {{ .Values.shards }}. The shards divide maxRollouts among them. Set maxRollouts to {{ .Values.shards }} or more
{{- end -}}
{{- end -}}

{{/* Driver 1.5 reads every labeled Secret during rotation, but has no permission for that here. */}}
{{- define "keyvault-injector.version-problems" -}}
{{- $driver := index .Values "secrets-store-csi-driver" -}}
{{- range $system := list "linux" "windows" -}}
{{- $values := get $driver $system -}}
{{- $version := regexFind "^v?[0-9]+[.][0-9]+[.][0-9]+" (toString $values.image.tag) -}}
{{- if and $driver.install $values.enabled (eq (include "keyvault-injector.rotation" $) "true") $version (not $values.image.digest) -}}
{{- if semverCompare "<1.6.0" $version }}
- secrets-store-csi-driver.{{ $system }}.image.tag: {{ $values.image.tag }} needs permission to read Secrets in the whole cluster during rotation, and the chart does not grant it. Omit the tag, or use v1.6.0 or later
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
