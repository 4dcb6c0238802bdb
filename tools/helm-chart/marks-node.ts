/** Places of the chart's values in the node side: the CSI driver and the Azure provider, on Linux and Windows. */
import { NODE_NAMESPACE } from "./marks-product.ts";
import { block, item, type Mark, type Put, scalar, tail, tailEntries, tailKey, text, when } from "./place.ts";

type System = "linux" | "windows";

const POD = "spec/template/spec";
const IN_NODE_NAMESPACE: Put = text("kube-system", NODE_NAMESPACE);
const FOLDERS = {
  linux: { kubelet: "/var/lib/kubelet", providers: "/var/run/secrets-store-csi-providers" },
  windows: { kubelet: "C:\\var\\lib\\kubelet", providers: "C:\\k\\secrets-store-csi-providers" },
} as const;

const marksOf = (object: string, places: readonly (readonly [string, Put])[]): readonly Mark[] =>
  places.map(([at, put]) => ({ object, at, put }));

/** Renders a folder of the values with single backslashes and without a slash at its end. */
const folder = (expression: string): string => `include "keyvault-injector.folder" ${expression}`;

const image = (expression: string): Put => scalar(`include "keyvault-injector.image" ${expression} | quote`);

/** An argument that the template renders only if the value differs from the program's default. */
const flag = (name: string, { value, unless }: { readonly value: string; readonly unless: string }): readonly string[] => [
  `{{- if ne (toString ${value}) ${JSON.stringify(unless)} }}`,
  `- {{ printf "--${name}=%v" ${value} | quote }}`,
  "{{- end }}",
];

/** Marks that both DaemonSets share. */
function podMarks(values: string, pullSecrets: string): readonly (readonly [string, Put])[] {
  return [
    ["metadata/namespace", IN_NODE_NAMESPACE],
    ["spec/updateStrategy", block(`${values}.updateStrategy`)],
    ["spec/template/metadata/labels", tailEntries(`${values}.podLabels`)],
    [`${POD}/affinity`, block(`${values}.affinity`)],
    [`${POD}/nodeSelector`, tailEntries(`${values}.nodeSelector`)],
    [`${POD}/tolerations`, block(`${values}.tolerations`)],
    [`${POD}/priorityClassName`, scalar(`${values}.priorityClassName | quote`)],
    [`${POD}/priorityClassName`, when(`${values}.priorityClassName`)],
    [`${POD}/volumes`, tailEntries(`${values}.volumes`)],
    [POD, tailKey("imagePullSecrets", pullSecrets)],
  ];
}

function driverMarks(system: System): readonly Mark[] {
  const values = `$driver.${system}`;
  const container = (name: string): string => `${POD}/containers/[name=${name}]`;
  const object = system === "linux" ? "DaemonSet/csi-secrets-store" : "DaemonSet/csi-secrets-store-windows";
  return marksOf(object, [
    ...podMarks(values, "$driver.imagePullSecrets"),
    ...driverFolders(system, container("secrets-store")),
    ["metadata", tailKey("annotations", `${values}.daemonsetAnnotations`)],
    ["spec/template/metadata/labels", tailEntries("$driver.commonLabels")],
    ["spec/template/metadata/annotations", tailEntries(`${values}.podAnnotations`)],
    [POD, tail("{{- if not $driver.automountServiceAccountToken }}", "automountServiceAccountToken: false", "{{- end }}")],
    [`${container("secrets-store")}/image`, image(`${values}.image`)],
    [`${container("secrets-store")}/imagePullPolicy`, scalar(`${values}.image.pullPolicy`)],
    [`${container("secrets-store")}/resources`, block(`${values}.driver.resources`)],
    [`${container("secrets-store")}/args/[=--metrics-addr=:8095]`, text(":8095", `${values}.metricsAddr`)],
    [`${container("secrets-store")}/args/[=--enable-secret-rotation=true]`, text("true", `include "keyvault-injector.rotation" $`)],
    [`${container("secrets-store")}/args/[=--rotation-poll-interval=2m]`, text("2m", "$driver.rotationPollInterval | default `2m`")],
    [`${container("secrets-store")}/args`, tail(...driverFlags())],
    [`${container("secrets-store")}/ports/[name=metrics]/containerPort`, scalar(`include "keyvault-injector.port" ${values}.metricsAddr`)],
    [`${container("secrets-store")}/ports/[name=healthz]/containerPort`, scalar("$driver.livenessProbe.port")],
    [`${container("secrets-store")}/env`, tailEntries(`${values}.env`)],
    [`${container("secrets-store")}/volumeMounts`, tailEntries(`${values}.volumeMounts`)],
    [`${container("node-driver-registrar")}/image`, image(`${values}.registrarImage`)],
    [`${container("node-driver-registrar")}/imagePullPolicy`, scalar(`${values}.registrarImage.pullPolicy`)],
    [`${container("node-driver-registrar")}/resources`, block(`${values}.registrar.resources`)],
    [`${container("node-driver-registrar")}/args`, tail(...flag("v", { value: `${values}.registrar.logVerbosity`, unless: "0" }))],
    [`${container("liveness-probe")}/image`, image(`${values}.livenessProbeImage`)],
    [`${container("liveness-probe")}/imagePullPolicy`, scalar(`${values}.livenessProbeImage.pullPolicy`)],
    [`${container("liveness-probe")}/resources`, block(`${values}.livenessProbe.resources`)],
    [`${container("liveness-probe")}/args/[=--http-endpoint=0.0.0.0:9808]`, text("9808", "$driver.livenessProbe.port")],
    [`${container("liveness-probe")}/args`, tail(...flag("v", { value: "$driver.livenessProbe.logLevel", unless: "0" }))],
  ]);
}

const driverFlags = (): readonly string[] => [
  ...flag("v", { value: "$driver.logVerbosity", unless: "0" }),
  ...flag("log-format-json", { value: "$driver.logFormatJSON", unless: "false" }),
  ...flag("provider-health-check", { value: "$driver.providerHealthCheck", unless: "false" }),
  ...flag("provider-health-check-interval", { value: "$driver.providerHealthCheckInterval", unless: "2m" }),
  // Helm passes a number of millions as a float.
  ...flag("max-call-recv-msg-size", { value: "(int64 $driver.maxCallRecvMsgSize)", unless: "4194304" }),
];

/** The folders of the kubelet and of the providers' sockets. On Linux the manifest already has a list of further ones. */
function driverFolders(system: System, container: string): readonly (readonly [string, Put])[] {
  const values = `$driver.${system}`;
  const { kubelet, providers } = FOLDERS[system];
  const further = `$index, $further := ${values}.additionalProvidersDirs`;
  const name = "- name: additional-providers-dir{{ if $index }}-{{ $index }}{{ end }}";
  const range = `{{- range ${further} }}`;
  const path = '{{ include "keyvault-injector.folder" $further | quote }}';
  const mount = [range, name, `  mountPath: ${path}`, "{{- end }}"];
  const volume = [range, name, "  hostPath:", `    path: ${path}`, "    type: DirectoryOrCreate", "{{- end }}"];
  const joined = `join "," ${values}.additionalProvidersDirs`;
  const sockets: readonly (readonly [string, Put])[] =
    system === "linux"
      ? [
          [
            `${container}/args/[=--additional-provider-volume-paths=/etc/kubernetes/secrets-store-csi-providers]`,
            text("/etc/kubernetes/secrets-store-csi-providers", joined),
          ],
          [`${container}/volumeMounts/[name=additional-providers-dir]`, item(...mount)],
          [`${POD}/volumes/[name=additional-providers-dir]`, item(...volume)],
        ]
      : [
          [
            `${container}/args`,
            tail(`{{- with ${joined} }}`, '- {{ printf "--additional-provider-volume-paths=%s" . | quote }}', "{{- end }}"),
          ],
          [`${container}/volumeMounts`, tail(...mount)],
          [`${POD}/volumes`, tail(...volume)],
        ];
  return [...sockets, ["", text(kubelet, folder(`${values}.kubeletRootDir`))], ["", text(providers, folder(`${values}.providersDir`))]];
}

function providerMarks(system: System): readonly Mark[] {
  const values = `$.Values.${system}`;
  const container = `${POD}/containers/[name=provider-azure-installer]`;
  const suffix = system === "linux" ? "" : "-windows";
  return marksOf(`DaemonSet/csi-secrets-store-provider-azure${suffix}`, [
    ...podMarks(values, "$.Values.imagePullSecrets"),
    ["", text(FOLDERS[system].providers, folder(`${values}.providersDir`))],
    ["spec/template/metadata", tailKey("annotations", `include "keyvault-injector.provider-annotations" (list $ ${values}) | fromYaml`)],
    [`${container}/image`, image(`${values}.image`)],
    [`${container}/imagePullPolicy`, scalar(`${values}.image.pullPolicy`)],
    [`${container}/resources`, block(`${values}.resources`)],
    [`${container}/ports/[name=metrics]/containerPort`, scalar(`include "keyvault-injector.port" $.Values.metricsAddr`)],
    [`${container}/args/[=--construct-pem-chain=true]`, text("true", "$.Values.constructPEMChain")],
    [`${container}/args/[=--healthz-port=8989]`, text("8989", `${values}.healthzPort`)],
    [`${container}/args/[=--healthz-path=/healthz]`, text("/healthz", `${values}.healthzPath`)],
    [`${container}/args/[=--healthz-timeout=5s]`, text("5s", `${values}.healthzTimeout`)],
    [`${container}/args`, tail(...providerFlags(values))],
    [`${container}/livenessProbe/httpGet/path`, scalar(`${values}.healthzPath | quote`)],
    [`${container}/livenessProbe/httpGet/port`, scalar(`${values}.healthzPort`)],
    [`${container}/volumeMounts`, tailEntries(`${values}.volumeMounts`)],
    [
      container,
      tail("{{- if $.Values.Azure.proxySettings.isProxyEnabled }}", "envFrom:", "- secretRef:", "    name: arc-proxy-config", "{{- end }}"),
    ],
    ...(system === "linux" ? linuxProviderMarks(container) : []),
  ]);
}

const providerFlags = (values: string): readonly string[] => [
  ...flag("log-format-json", { value: "$.Values.logFormatJSON", unless: "false" }),
  ...flag("v", { value: "$.Values.logVerbosity", unless: "0" }),
  ...flag("custom-user-agent", { value: `${values}.customUserAgent`, unless: "" }),
  ...flag("prometheus-port", { value: `(include "keyvault-injector.port" $.Values.metricsAddr)`, unless: "8898" }),
  ...flag("write-cert-and-key-in-separate-files", { value: "$.Values.writeCertAndKeyInSeparateFiles", unless: "false" }),
  ...flag("cloud-name", { value: "$.Values.cloudName", unless: "AzurePublicCloud" }),
];

/** Windows has neither privileged containers nor files in /etc. */
function linuxProviderMarks(container: string): readonly (readonly [string, Put])[] {
  const privileged = "or $.Values.linux.privileged $.Values.openshift";
  const certificate = "and $.Values.Azure.proxySettings.isProxyEnabled $.Values.Azure.proxySettings.proxyCert";
  return [
    [`${POD}/dnsPolicy`, scalar("$.Values.linux.dnsPolicy")],
    [`${POD}/dnsPolicy`, when("$.Values.linux.dnsPolicy")],
    [`${container}/securityContext/allowPrivilegeEscalation`, when(`not (${privileged})`)],
    [`${container}/securityContext/capabilities`, when(`not (${privileged})`)],
    [`${container}/securityContext`, tail(`{{- if ${privileged} }}`, "privileged: true", "{{- end }}")],
    [
      `${container}/volumeMounts`,
      tail(
        `{{- if ${certificate} }}`,
        "- name: proxy-certstore",
        "  mountPath: /etc/ssl/certs/proxy-cert.crt",
        "  subPath: proxy-cert.crt",
        "  readOnly: true",
        "{{- end }}",
      ),
    ],
    [
      `${POD}/volumes`,
      tail(`{{- if ${certificate} }}`, "- name: proxy-certstore", "  secret:", "    secretName: arc-proxy-cert", "{{- end }}"),
    ],
  ];
}

/** The sync worker, which runs in the release's namespace, as the subject of a binding. */
const WORKER: readonly [string, Put] = ["subjects/[name=keyvault-injector-sync]/namespace", scalar("$.Release.Namespace | quote")];

/** The worker's right to heal one part of the node side. */
function healingMarks([part, workload]: readonly [string, string]): readonly Mark[] {
  return [
    ...marksOf(`Role/keyvault-injector-${part}`, [["metadata/namespace", IN_NODE_NAMESPACE]]),
    ...marksOf(`RoleBinding/keyvault-injector-${part}`, [["metadata/namespace", IN_NODE_NAMESPACE], WORKER]),
    ...marksOf(`PodTemplate/${workload}`, [["metadata/namespace", IN_NODE_NAMESPACE]]),
  ];
}

const NODE_PARTS = [
  ["csi-driver", "csi-secrets-store"],
  ["csi-driver-windows", "csi-secrets-store-windows"],
  ["azure-provider", "csi-secrets-store-provider-azure"],
  ["azure-provider-windows", "csi-secrets-store-provider-azure-windows"],
] as const;

const OPENSHIFT_LABEL = "security.openshift.io/csi-ephemeral-volume-profile: restricted";

const clusterMarks: readonly Mark[] = [
  ...marksOf("CSIDriver/secrets-store.csi.k8s.io", [
    ["spec/requiresRepublish", scalar(`include "keyvault-injector.rotation" $`)],
    ["spec/tokenRequests", block("$driver.tokenRequests")],
    // Older API servers reject the field, and all of them reject it without token requests.
    ["spec/serviceAccountTokenInSecrets", when('and $driver.tokenRequests (semverCompare ">=1.35-0" $.Capabilities.KubeVersion.Version)')],
    ["metadata/labels", tail("{{- if $.Values.openshift }}", OPENSHIFT_LABEL, "{{- end }}")],
  ]),
  ...marksOf("ServiceAccount/secrets-store-csi-driver", [["metadata/namespace", IN_NODE_NAMESPACE]]),
  ...marksOf("ServiceAccount/csi-secrets-store-provider-azure", [["metadata/namespace", IN_NODE_NAMESPACE]]),
  ...marksOf("ClusterRoleBinding/secretproviderclasses-rolebinding", [["subjects", IN_NODE_NAMESPACE]]),
  ...marksOf("RoleBinding/keyvault-injector-node-side", [["", IN_NODE_NAMESPACE]]),
  ...NODE_PARTS.flatMap(healingMarks),
  ...marksOf("ClusterRoleBinding/keyvault-injector-csi-driver", [WORKER]),
];

export const NODE_MARKS: readonly Mark[] = [
  ...driverMarks("linux"),
  ...driverMarks("windows"),
  ...providerMarks("linux"),
  ...providerMarks("windows"),
  ...clusterMarks,
];
