/** Places of the chart's values in our own objects. */
import { componentsOf } from "../../src/domain/healing/components.ts";
import { block, inside, item, type Mark, type Put, scalar, tail, tailEntries, tailKey, text, when } from "./place.ts";

const POD = "spec/template/spec";

/** Namespace of the driver and the provider. */
export const NODE_NAMESPACE = '$.Values.nodeNamespace | default "kube-system"';

/** A process gets proxy variables and the proxy's CA only if the values set them. */
const PROXY = "$.Values.Azure.proxySettings";

function workloadMarks(component: "webhook" | "sync"): readonly Mark[] {
  const values = `$.Values.${component}`;
  const container = `${POD}/containers/[name=${component}]`;
  const places: readonly (readonly [string, Put])[] = [
    ["spec/replicas", scalar(`${values}.replicas`)],
    ["spec/template/metadata/labels", tail(`{{- include "keyvault-injector.pod-labels" (list $ ${values}.podLabels) | nindent $HERE }}`)],
    [`${container}/image`, scalar(`include "keyvault-injector.own-image" $ | quote`)],
    [`${container}/imagePullPolicy`, scalar(`include "keyvault-injector.own-pull-policy" $`)],
    [`${container}/resources`, block(`${values}.resources`)],
    [
      `${container}/args`,
      tail(`{{- with include "keyvault-injector.${component}-settings" $ }}`, "{{- . | trim | nindent $HERE }}", "{{- end }}"),
    ],
    [`${container}/args`, tailEntries(`${values}.extraArgs`)],
    [`${container}/env`, tailEntries(`${values}.extraEnv`)],
    ...securityMarks(values, container),
    [`${POD}/priorityClassName`, scalar(`${values}.priorityClassName | quote`)],
    [`${POD}/priorityClassName`, when(`${values}.priorityClassName`)],
    [`${POD}/nodeSelector`, tailEntries(`${values}.nodeSelector`)],
    [POD, tailKey("tolerations", `${values}.tolerations`)],
    [POD, tailKey("affinity", `${values}.affinity`)],
    [POD, tailKey("imagePullSecrets", "$.Values.imagePullSecrets")],
  ];
  const account = `${values}.serviceAccount`;
  return [
    ...places.map(([at, put]) => ({ object: `Deployment/keyvault-injector-${component}`, at, put })),
    { object: `ServiceAccount/keyvault-injector-${component}`, at: "metadata", put: tailKey("annotations", `(${account}).annotations`) },
  ];
}

/**
 * Keeps the security settings of the manifests, except the user, the group and the seccomp profile. The schema rejects values that are less
 * strict.
 */
function securityMarks(values: string, container: string): readonly (readonly [string, Put])[] {
  const given = `(${values}.podSecurityContext | default dict)`;
  const user = (key: string): readonly (readonly [string, Put])[] => [
    [`${POD}/securityContext/${key}`, scalar(`${given}.${key} | default 65532 | int64`)],
    // OpenShift assigns users to each namespace and rejects others.
    [`${POD}/securityContext/${key}`, when(`or (not $.Values.openshift) ${given}.${key}`)],
  ];
  return [
    ...user("runAsUser"),
    ...user("runAsGroup"),
    [`${POD}/securityContext/seccompProfile`, block(`${given}.seccompProfile | default (dict "type" "RuntimeDefault")`)],
    [`${POD}/securityContext`, tailEntries(`omit ${given} "runAsNonRoot" "runAsUser" "runAsGroup" "seccompProfile"`)],
    [
      `${container}/securityContext`,
      tailEntries(
        `omit (${values}.securityContext | default dict) "allowPrivilegeEscalation" "readOnlyRootFilesystem" "capabilities" "runAsNonRoot"`,
      ),
    ],
  ];
}

const webhookMarks: readonly Mark[] = [
  {
    object: "Deployment/keyvault-injector-webhook",
    at: "spec/template/metadata",
    put: tailKey("annotations", "$.Values.webhook.podAnnotations"),
  },
];

/** A release of an older chart may be without this value. */
const ISSUER = "((.Values.certManager).issuerRef)";

/** A release of an older chart may be without this value. */
const MODE = '((.Values.injection).mode | default "webhook")';
const HAS_WEBHOOK = `ne ${MODE} "policy"`;
const HAS_NO_WEBHOOK = `eq ${MODE} "policy"`;
const HAS_POLICIES = `ne ${MODE} "webhook"`;

const WEBHOOK_OBJECTS = componentsOf("")
  // The PodTemplate limits the pods that policies allow for a Deployment of that name, even if the chart renders no such Deployment.
  .filter(({ isWebhook, resource }) => isWebhook && resource.kind !== "PodTemplate")
  .map(({ resource, ref }) => `${resource.kind}/${ref.name}`);

/** Objects that have a condition of their own in addition to that of their component. */
export const ONLY_WHERE: ReadonlyMap<string, string> = new Map([
  ...["Issuer/keyvault-injector-selfsigned", "Certificate/keyvault-injector-cert-manager-ca", "Issuer/keyvault-injector-ca"].map(
    (object) => [object, `and (${HAS_WEBHOOK}) (not ${ISSUER}.name)`] as const,
  ),
  ["Certificate/keyvault-injector-webhook", HAS_WEBHOOK],
  ...["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"].map(
    (kind) => [`${kind}/keyvault-injector-sync-no-webhook`, HAS_NO_WEBHOOK] as const,
  ),
  ...WEBHOOK_OBJECTS.map((object) => [object, HAS_WEBHOOK] as const),
  ...["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"].map(
    (kind) => [`${kind}/keyvault-injector-injection`, HAS_POLICIES] as const,
  ),
  ...["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"].flatMap((kind) =>
    ["identities", "authors"].map(
      (name) => [`${kind}/keyvault-injector-gateway-${name}`, "or .Values.gatewayClasses .Values.ingressClasses"] as const,
    ),
  ),
]);

const CERTIFICATE = "Certificate/keyvault-injector-webhook";

const certificateMarks: readonly Mark[] = [
  // OpenShift assigns a group to each namespace for the volumes of its pods, and rejects others.
  {
    object: "Deployment/keyvault-injector-webhook",
    at: `${POD}/securityContext/fsGroup`,
    put: when("not $.Values.openshift"),
  },
  { object: CERTIFICATE, at: "spec/issuerRef/name", put: text("keyvault-injector-ca", `${ISSUER}.name | default "keyvault-injector-ca"`) },
  { object: CERTIFICATE, at: "spec/issuerRef/kind", put: text("Issuer", `${ISSUER}.kind | default "Issuer"`) },
  { object: CERTIFICATE, at: "spec/issuerRef", put: tail(`{{- with ${ISSUER}.group }}`, "group: {{ . | quote }}", "{{- end }}") },
];

const CLIENT_CA = "(.Values.clientCA)";

const clientMarks: readonly Mark[] = [
  {
    object: "Deployment/keyvault-injector-webhook",
    at: `${POD}/volumes/[name=client-ca]/projected/sources/[~configMap]`,
    put: item(
      `{{- if ${CLIENT_CA}.secret }}`,
      "- secret:",
      `    name: {{ ${CLIENT_CA}.secret | quote }}`,
      "{{- else }}",
      "- configMap:",
      `    name: {{ ${CLIENT_CA}.configMap | quote }}`,
      "{{- end }}",
      "    items:",
      `    - key: {{ ${CLIENT_CA}.key | default "ca.crt" | quote }}`,
      "      path: ca.crt",
    ),
  },
];

const SYNC = "Deployment/keyvault-injector-sync";
const syncContainer = `${POD}/containers/[name=sync]`;

const syncMarks: readonly Mark[] = [
  {
    object: SYNC,
    at: `${syncContainer}/args/[=--sync-secret=true]`,
    put: text("true", `include "keyvault-injector.sync-secret" $`),
  },
  {
    object: SYNC,
    at: `${syncContainer}/args/[=--enable-secret-rotation=true]`,
    put: text("true", `include "keyvault-injector.rotation" $`),
  },
  {
    object: SYNC,
    at: `${syncContainer}/args/[=--heal-node-side=true]`,
    put: text("true", `ternary "true" "false" (eq (include "keyvault-injector.heals-node-side" $) "true")`),
  },
  { object: SYNC, at: `${syncContainer}/args/[=--heal-webhook=false]`, put: when(HAS_POLICIES) },
  {
    object: SYNC,
    at: "spec/template/metadata",
    put: tailKey("annotations", `include "keyvault-injector.sync-annotations" $ | fromYaml`),
  },
  {
    object: SYNC,
    at: syncContainer,
    put: tail(`{{- if ${PROXY}.isProxyEnabled }}`, "envFrom:", "- secretRef:", "    name: keyvault-injector-proxy", "{{- end }}"),
  },
  {
    object: SYNC,
    at: `${syncContainer}/env`,
    put: tail(
      `{{- if and ${PROXY}.isProxyEnabled ${PROXY}.proxyCert }}`,
      "- name: NODE_EXTRA_CA_CERTS",
      "  value: /etc/keyvault-injector/proxy/proxy-cert.crt",
      "{{- end }}",
    ),
  },
  { object: SYNC, at: syncContainer, put: tailKey("volumeMounts", `include "keyvault-injector.sync-mounts" $ | fromYamlArray`) },
  { object: SYNC, at: POD, put: tailKey("volumes", `include "keyvault-injector.sync-volumes" $ | fromYamlArray`) },
];

const SERVED = "RoleBinding/keyvault-injector-sync-served";

/** Objects that the chart renders once for each item of a list. The manifest is the template for all of them. */
export const REPEATED: ReadonlyMap<string, string> = new Map([
  [SERVED, "$namespace := prepend .Values.namespaces .Release.Namespace | uniq"],
]);

/** A release of an older chart may be without this value. */
const BINDS = 'eq (toString $.Values.identityBindings) "true"';
const whereBound = (bound: string, otherwise: string): string => `ternary ${JSON.stringify(bound)} ${JSON.stringify(otherwise)} (${BINDS})`;

const ONE_AUDIENCE = {
  expression: ["== ['api://AzureADTokenExchange']", "in [['api://AzureADTokenExchange'], ['api://AKSIdentityBinding']]"],
  message: [
    "the one audience api://AzureADTokenExchange, which Entra exchanges",
    "one audience, api://AzureADTokenExchange or api://AKSIdentityBinding",
  ],
} as const;

/** The same changes as those of the component identity-bindings. */
const bindingMarks: readonly Mark[] = Object.entries(ONE_AUDIENCE).map(([key, [otherwise, bound]]) => ({
  object: "ValidatingAdmissionPolicy/keyvault-injector-sync-tokens",
  at: `spec/validations/[~api://AzureADTokenExchange]/${key}`,
  put: text(otherwise, whereBound(bound, otherwise)),
}));

/** The same condition as that of the component gateway-tls. */
const HAS_GATEWAYS = "or $.Values.gatewayClasses $.Values.ingressClasses";
const KINDS_OF_MADE = "['Gateway', 'Ingress']";

const rbacMarks: readonly Mark[] = [
  ...bindingMarks,
  {
    object: "ValidatingAdmissionPolicy/keyvault-injector-sync-workloads",
    at: "spec/variables/[name=isOwnComponent]/expression",
    put: inside("'kube-system'", `${NODE_NAMESPACE} | squote`),
  },
  {
    object: "ValidatingAdmissionPolicy/keyvault-injector-sync-components",
    at: "spec/validations/[~api://AzureADTokenExchange]/expression",
    put: inside('["api://AzureADTokenExchange","api://AKSIdentityBinding"]', 'include "keyvault-injector.token-audiences" $'),
  },
  {
    // RBAC applies a rule without names to every Secret.
    object: "ClusterRole/keyvault-injector-sync",
    at: "rules/[~secrets-store-creds]",
    put: when("$.Values.credentialsSecretNames"),
  },
  {
    object: "ClusterRole/keyvault-injector-sync",
    at: "rules/[~secrets-store-creds]/resourceNames",
    put: block("$.Values.credentialsSecretNames"),
  },
  {
    object: "ClusterRole/keyvault-injector-sync",
    at: "rules/[~serviceaccounts/token]",
    put: when(
      'or (not $.Values.allowedIdentityModes) (has "workload-identity" $.Values.allowedIdentityModes) (has "identity-binding" $.Values.allowedIdentityModes)',
    ),
  },
  {
    object: "ClusterRole/keyvault-injector-sync",
    at: "rules/[~poddisruptionbudgets]",
    put: when("$.Values.respectDisruptionBudgets"),
  },
  {
    object: "ClusterRole/keyvault-injector-sync",
    at: "rules/[~argoproj.io]",
    put: when("$.Values.restartArgoRollouts"),
  },
  {
    object: "ClusterRole/keyvault-injector-sync",
    at: "rules/[~gateway.networking.k8s.io]",
    put: when("$.Values.gatewayClasses"),
  },
  {
    object: "ClusterRole/keyvault-injector-sync",
    at: "rules/[~ingresses]",
    put: when("$.Values.ingressClasses"),
  },
  ...['"serviceaccounts"', '"verbs":["delete"'].map((rule) => ({
    object: "ClusterRole/keyvault-injector-sync",
    at: `rules/[~${rule}]`,
    put: when(HAS_GATEWAYS),
  })),
  { object: "Role/keyvault-injector-sync", at: "rules/[~ingresses]", put: when(HAS_GATEWAYS) },
  {
    object: "ValidatingAdmissionPolicy/keyvault-injector-sync-classes",
    at: "spec/variables/[name=kindsOfMade]/expression",
    put: text(KINDS_OF_MADE, `ternary ${JSON.stringify(KINDS_OF_MADE)} "[]" (not (empty (${HAS_GATEWAYS})))`),
  },
  { object: SERVED, at: "metadata/namespace", put: scalar("$namespace | quote") },
];

function networkPolicyMarks(component: "webhook" | "sync"): readonly Mark[] {
  const object = `NetworkPolicy/keyvault-injector-${component}`;
  return [
    // Without a selector the rule allows every peer.
    { object, at: "spec/ingress/[~monitoring]", put: when("$.Values.networkPolicies.metricsNamespaceSelector") },
    {
      object,
      at: "spec/ingress/[~monitoring]/from/[~monitoring]/namespaceSelector",
      put: block("$.Values.networkPolicies.metricsNamespaceSelector"),
    },
    { object, at: "spec/egress", put: tailEntries("$.Values.networkPolicies.extraEgress") },
  ];
}

export const PRODUCT_MARKS: readonly Mark[] = [
  ...workloadMarks("webhook"),
  ...webhookMarks,
  ...certificateMarks,
  ...clientMarks,
  ...workloadMarks("sync"),
  ...syncMarks,
  ...rbacMarks,
  ...networkPolicyMarks("webhook"),
  ...networkPolicyMarks("sync"),
];
