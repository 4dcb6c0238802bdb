{{/*
Of a list: the chart's root, a name, and arguments. The pod of a hook that runs one of our commands, under the account of its name and where
the worker runs.
*/}}
{{- define "keyvault-injector.command-pod" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
serviceAccountName: keyvault-injector-{{ $name }}
automountServiceAccountToken: true
enableServiceLinks: false
restartPolicy: Never
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
nodeSelector:
  kubernetes.io/os: linux
  {{- with $root.Values.sync.nodeSelector }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $root.Values.sync.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- if not $root.Values.openshift }}
  runAsUser: 65532
  runAsGroup: 65532
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
containers:
  - name: {{ $name }}
    image: {{ include "keyvault-injector.own-image" $root | quote }}
    imagePullPolicy: {{ include "keyvault-injector.own-pull-policy" $root }}
    command: [node, dist/main.js]
    args:
      {{- range index . 2 }}
      - {{ . | quote }}
      {{- end }}
      - {{ printf "--install-namespace=%s" $root.Release.Namespace | quote }}
    resources:
      requests:
        cpu: 50m
        memory: 96Mi
      limits:
        memory: 256Mi
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
{{- end -}}
