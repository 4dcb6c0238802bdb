/** Values of the Azure provider's chart. The AKS extension has the same names. */
import type { Json } from "./place.ts";
import { BOOLEAN, DURATION, MAP, NUMBER, PORT, SECRET_REFERENCES, TEXT, type ValueRow } from "./value-row.ts";
import { daemonSetRows, imageRows, resources, SYSTEMS, type System } from "./values-upstream.ts";

const IMAGE = { repository: "mcr.microsoft.com/oss/v2/azure/secrets-store/provider-azure", tag: "v1.8.2" };
const RESOURCES: Readonly<Record<System, Json>> = {
  linux: resources({ cpu: "50m", memory: "100Mi" }, { cpu: "50m", memory: "100Mi" }),
  windows: resources({ cpu: "100m", memory: "200Mi" }, { cpu: "100m", memory: "200Mi" }),
};

function providerRows(system: System): readonly ValueRow[] {
  const untested = system === "windows" ? " This value is untested." : "";
  return [
    {
      path: `${system}.enabled`,
      default: system === "linux",
      type: BOOLEAN,
      meaning: `Runs the Azure provider on ${system === "linux" ? "Linux" : "Windows"} nodes.${untested}`,
    },
    ...imageRows(`${system}.image`, IMAGE),
    {
      path: `${system}.resources`,
      default: RESOURCES[system],
      type: MAP,
      meaning: "Requests and limits of the provider's container.",
    },
    { path: `${system}.customUserAgent`, default: "", type: TEXT, meaning: "Text that the provider adds to its user agent." },
    {
      path: `${system}.healthzPort`,
      default: 8989,
      type: NUMBER,
      meaning: "Port of the provider's health check.",
    },
    { path: `${system}.healthzPath`, default: "/healthz", type: TEXT, meaning: "Path of the provider's health check." },
    { path: `${system}.healthzTimeout`, default: "5s", type: DURATION, meaning: "Time limit of the provider's health check." },
    ...daemonSetRows(`${system}.`, system),
  ];
}

const linuxRows: readonly ValueRow[] = [
  {
    path: "linux.privileged",
    default: false,
    type: BOOLEAN,
    meaning: "Runs the provider's container in privileged mode, which SELinux might require.",
  },
  {
    path: "linux.dnsPolicy",
    default: "ClusterFirstWithHostNet",
    type: TEXT,
    meaning: "DNS policy of the provider's pods. If empty, the cluster's default applies.",
  },
];

const bothRows: readonly ValueRow[] = [
  {
    path: "nameOverride",
    default: "",
    type: TEXT,
    meaning: "nothing",
    refused: {
      unless: [""],
      because: "names are fixed, because policies, healing, and certificates refer to objects by name",
    },
  },
  {
    path: "fullnameOverride",
    default: "",
    type: TEXT,
    meaning: "nothing",
    refused: {
      unless: [""],
      because: "names are fixed, because policies, healing, and certificates refer to objects by name",
    },
  },
  {
    path: "imagePullSecrets",
    default: [],
    type: SECRET_REFERENCES,
    meaning: "Secrets for pulling the project's and the provider's images, each as `name: NAME`.",
  },
  {
    path: "logFormatJSON",
    default: false,
    type: BOOLEAN,
    meaning: "Writes the provider's log as JSON. For the webhook and the worker, set `logFormat`.",
  },
  {
    path: "logVerbosity",
    default: 0,
    type: NUMBER,
    meaning: "Verbosity of the provider's log. For the webhook and the worker, set `logLevel`.",
  },
  {
    path: "metricsAddr",
    default: "8898",
    type: PORT,
    meaning: "Port of the provider's metrics. Unlike in the upstream chart, this value also sets the port of the process.",
  },
  {
    path: "enableArcExtension",
    default: false,
    type: BOOLEAN,
    meaning: "nothing",
    refused: {
      unless: [false],
      because: "this value adds Microsoft's telemetry. To use a proxy, set only Azure.proxySettings",
    },
  },
  {
    path: "rbac.install",
    default: true,
    type: BOOLEAN,
    meaning: "Creates the provider's ServiceAccount. Use `false` if you create it yourself.",
  },
  {
    path: "rbac.pspEnabled",
    default: false,
    type: BOOLEAN,
    meaning: "nothing",
    refused: { unless: [false], because: "Kubernetes 1.25 removed PodSecurityPolicy" },
  },
  {
    path: "constructPEMChain",
    default: true,
    type: BOOLEAN,
    flag: "construct-pem-chain",
    meaning:
      "Orders the certificates of a PKCS#12 secret from leaf to root, in mounts and Secrets. Unlike in the upstream chart, `false` takes effect.",
  },
  {
    path: "writeCertAndKeyInSeparateFiles",
    default: false,
    type: BOOLEAN,
    flag: "write-cert-and-key-in-separate-files",
    meaning: "Adds `.crt` and `.key` files for a certificate's secret, in mounts and Secrets.",
  },
];

/** Values that the Arc resource provider passes to the extension's chart. */
const proxyRows: readonly ValueRow[] = [
  {
    path: "Azure.proxySettings.isProxyEnabled",
    default: false,
    type: BOOLEAN,
    meaning: "Whether the provider and the worker use the proxy that the next four values set.",
  },
  { path: "Azure.proxySettings.httpProxy", default: "", type: TEXT, meaning: "Proxy for plain HTTP, as in `HTTP_PROXY`." },
  { path: "Azure.proxySettings.httpsProxy", default: "", type: TEXT, meaning: "Proxy for HTTPS, as in `HTTPS_PROXY`." },
  {
    path: "Azure.proxySettings.noProxy",
    default: "",
    type: TEXT,
    meaning: "Hosts and networks to reach without the proxy, as in `NO_PROXY`.",
  },
  { path: "Azure.proxySettings.proxyCert", default: "", type: TEXT, meaning: "The proxy's CA in PEM format, if the proxy inspects TLS." },
];

const TELEMETRY = "keyvault-injector has no telemetry. Omit this value";
const FROM_ARC = "only Azure Arc's telemetry and identity use this value. Omit it";

/** Values of the extension that the open chart lacks. */
const arcRows: readonly ValueRow[] = [
  ...["promMdmConverter", "mdm", "msiAdapter", "telegraf", "amacoreagent", "fluentd", "arc"].map((path) => ({ path, because: TELEMETRY })),
  ...["Azure.Cluster", "Azure.Identity", "Azure.Extension"].map((path) => ({ path, because: FROM_ARC })),
].map(({ path, because }) => ({ path, default: {}, type: MAP, meaning: "nothing", refused: { unless: [{}], because } }));

export const PROVIDER_ROWS: readonly ValueRow[] = [
  ...SYSTEMS.flatMap(providerRows),
  ...linuxRows,
  ...bothRows,
  ...proxyRows,
  ...arcRows,
].map((row) => ({ ...row, upstream: "provider" }));
