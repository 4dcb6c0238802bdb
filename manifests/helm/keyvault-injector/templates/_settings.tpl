{{- define "keyvault-injector.sync-settings" -}}
{{- if ne ((get (get .Values "secrets-store-csi-driver") "rotationPollInterval") | default "2m") "2m" }}
- {{ printf "--rotation-poll-interval=%s" ((get (get .Values "secrets-store-csi-driver") "rotationPollInterval") | default "2m") | quote }}
{{- end }}
{{- if ne (join "," (get .Values "eventQueues")) "" }}
- {{ printf "--event-queues=%s" (join "," (get .Values "eventQueues")) | quote }}
{{- end }}
{{- if not (has ((get .Values "syncMode") | toString) (list "" "always")) }}
- {{ printf "--sync-mode=%s" ((get .Values "syncMode") | toString) | quote }}
{{- end }}
{{- if ne ((get .Values "unusedGrace") | default "5m") "5m" }}
- {{ printf "--unused-grace=%s" ((get .Values "unusedGrace") | default "5m") | quote }}
{{- end }}
{{- if ne ((get .Values "expiryWarning") | default "720h") "720h" }}
- {{ printf "--expiry-warning=%s" ((get .Values "expiryWarning") | default "720h") | quote }}
{{- end }}
{{- if not (has ((get .Values "restartWorkloads") | toString) (list "" "true")) }}
- {{ printf "--restart-workloads=%s" ((get .Values "restartWorkloads") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "restartMode") | toString) (list "" "act")) }}
- {{ printf "--restart-mode=%s" ((get .Values "restartMode") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "restartWindow") | toString) (list "" "always")) }}
- {{ printf "--restart-window=%s" ((get .Values "restartWindow") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "restartArgoRollouts") | toString) (list "" "false")) }}
- {{ printf "--restart-argo-rollouts=%s" ((get .Values "restartArgoRollouts") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "respectDisruptionBudgets") | toString) (list "" "false")) }}
- {{ printf "--respect-disruption-budgets=%s" ((get .Values "respectDisruptionBudgets") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "shards") | toString) (list "" "1")) }}
- {{ printf "--shards=%s" ((get .Values "shards") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "maxRollouts") | toString) (list "" "9999")) }}
- {{ printf "--max-rollouts=%s" ((get .Values "maxRollouts") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "maxRolloutsPerNamespace") | toString) (list "" "1")) }}
- {{ printf "--max-rollouts-per-namespace=%s" ((get .Values "maxRolloutsPerNamespace") | toString) | quote }}
{{- end }}
{{- if ne ((get .Values "rolloutTimeout") | default "10m") "10m" }}
- {{ printf "--rollout-timeout=%s" ((get .Values "rolloutTimeout") | default "10m") | quote }}
{{- end }}
{{- if ne ((get .Values "mountedFilesGrace") | default "10m") "10m" }}
- {{ printf "--mounted-files-grace=%s" ((get .Values "mountedFilesGrace") | default "10m") | quote }}
{{- end }}
{{- if ne (join "," (get .Values "namespaces")) "" }}
- {{ printf "--namespaces=%s" (join "," (get .Values "namespaces")) | quote }}
{{- end }}
{{- if ne (join "," (get .Values "credentialsSecretNames")) "secrets-store-creds" }}
- {{ printf "--credentials-secret-names=%s" (join "," (get .Values "credentialsSecretNames")) | quote }}
{{- end }}
{{- if ne (join "," (get .Values "allowedVaults")) "" }}
- {{ printf "--allowed-vaults=%s" (join "," (get .Values "allowedVaults")) | quote }}
{{- end }}
{{- if ne (join "," (get .Values "allowedIdentityModes")) "" }}
- {{ printf "--allowed-identity-modes=%s" (join "," (get .Values "allowedIdentityModes")) | quote }}
{{- end }}
{{- if not (has ((get .Values "identityBindings") | toString) (list "" "false")) }}
- {{ printf "--identity-bindings=%s" ((get .Values "identityBindings") | toString) | quote }}
{{- end }}
{{- if ne ((get .Values "tokenProxyUrl") | toString) "" }}
- {{ printf "--token-proxy-url=%s" ((get .Values "tokenProxyUrl") | toString) | quote }}
{{- end }}
{{- if ne ((get .Values "sniName") | toString) "" }}
- {{ printf "--sni-name=%s" ((get .Values "sniName") | toString) | quote }}
{{- end }}
{{- with (include "keyvault-injector.managed-identity-namespaces" .) }}
- {{ printf "--managed-identity-namespaces=%s" . | quote }}
{{- end }}
{{- if not (has ((get .Values "secretAccess") | toString) (list "" "watch")) }}
- {{ printf "--secret-access=%s" ((get .Values "secretAccess") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "adoptDriverSecrets") | toString) (list "" "true")) }}
- {{ printf "--adopt-driver-secrets=%s" ((get .Values "adoptDriverSecrets") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "cloudName") | toString) (list "" "AzurePublicCloud")) }}
- {{ printf "--cloud-name=%s" ((get .Values "cloudName") | toString) | quote }}
{{- end }}
{{- if ne ((get .Values "cloudEnvDir") | toString) "" }}
- {{ printf "--cloud-env-dir=%s" ((get .Values "cloudEnvDir") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "constructPEMChain") | toString) (list "" "true")) }}
- {{ printf "--construct-pem-chain=%s" ((get .Values "constructPEMChain") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "writeCertAndKeyInSeparateFiles") | toString) (list "" "false")) }}
- {{ printf "--write-cert-and-key-in-separate-files=%s" ((get .Values "writeCertAndKeyInSeparateFiles") | toString) | quote }}
{{- end }}
{{- if ne (join "," (get .Values "gatewayClasses")) "" }}
- {{ printf "--gateway-classes=%s" (join "," (get .Values "gatewayClasses")) | quote }}
{{- end }}
{{- if ne (join "," (get .Values "ingressClasses")) "" }}
- {{ printf "--ingress-classes=%s" (join "," (get .Values "ingressClasses")) | quote }}
{{- end }}
{{- if ne ((get .Values "tenantId") | toString) "" }}
- {{ printf "--tenant-id=%s" ((get .Values "tenantId") | toString) | quote }}
{{- end }}
{{- if ne ((get .Values "nodeIdentityClientId") | toString) "" }}
- {{ printf "--node-identity-client-id=%s" ((get .Values "nodeIdentityClientId") | toString) | quote }}
{{- end }}
{{- if ne (join "," (get .Values "heal")) "crds,classes,components" }}
- {{ printf "--heal=%s" (join "," (get .Values "heal")) | quote }}
{{- end }}
{{- if not (has ((get .Values "logLevel") | toString) (list "" "info")) }}
- {{ printf "--log-level=%s" ((get .Values "logLevel") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "logFormat") | toString) (list "" "json")) }}
- {{ printf "--log-format=%s" ((get .Values "logFormat") | toString) | quote }}
{{- end }}
{{- end -}}

{{- define "keyvault-injector.webhook-settings" -}}
{{- if not (has ((get .Values "identityBindings") | toString) (list "" "false")) }}
- {{ printf "--identity-bindings=%s" ((get .Values "identityBindings") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "strictAnnotations") | toString) (list "" "false")) }}
- {{ printf "--strict-annotations=%s" ((get .Values "strictAnnotations") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "logLevel") | toString) (list "" "info")) }}
- {{ printf "--log-level=%s" ((get .Values "logLevel") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "logFormat") | toString) (list "" "json")) }}
- {{ printf "--log-format=%s" ((get .Values "logFormat") | toString) | quote }}
{{- end }}
{{- if not (has ((get .Values "tlsMinVersion") | toString) (list "" "1.3")) }}
- {{ printf "--tls-min-version=%s" ((get .Values "tlsMinVersion") | toString) | quote }}
{{- end }}
{{- if ne ((get .Values "drainDelay") | default "5s") "5s" }}
- {{ printf "--drain-delay=%s" ((get .Values "drainDelay") | default "5s") | quote }}
{{- end }}
{{- end -}}
