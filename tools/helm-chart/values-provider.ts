/** Values of the Azure provider's chart, which are the extension's, under the same names. */
import type { Json } from "./place.ts";
import { BOOLEAN, DURATION, MAP, NUMBER, PORT, SECRET_REFERENCES, TEXT, type ValueRow } from "./value-row.ts";
import { daemonSetRows, imageRows, resources, SYSTEMS, type System } from "./values-upstream.ts";

const IMAGE = { repository: "mcr.microsoft.com/oss/v2/azure/secrets-store/provider-azure", tag: "v1.8.2" };
const RESOURCES: Readonly<Record<System, Json>> = {
  linux: resources({ cpu: "50m", memory: "100Mi" }, { cpu: "50m", memory: "100Mi" }),
  windows: resources({ cpu: "100m", memory: "200Mi" }, { cpu: "100m", memory: "200Mi" }),
};

function providerRows(system: System): readonly ValueRow[] {
  const untested = system === "windows" ? " The project has never run it there." : "";
  return [
    {
      path: `${system}.enabled`,
      default: system === "linux",
      type: BOOLEAN,
      meaning: `Runs the Azure provider on ${system} nodes.${untested}`,
    },
    ...imageRows(`${system}.image`, IMAGE),
    { path: `${system}.resources`, default: RESOURCES[system], type: MAP, meaning: "Requests and limits of the provider's container." },
    { path: `${system}.customUserAgent`, default: "", type: TEXT, meaning: "Text that the provider adds to its user agent." },
    {
      path: `${system}.healthzPort`,
      default: 8989,
      type: NUMBER,
      meaning: "Port of the provider's health check. Change it where the node's port is taken.",
    },
    { path: `${system}.healthzPath`, default: "/healthz", type: TEXT, meaning: "Path of the provider's health check." },
    { path: `${system}.healthzTimeout`, default: "5s", type: DURATION, meaning: "Time limit of the provider's health check." },
    ...daemonSetRows(`${system}.`, system),
  ];
}

const linuxRows: readonly ValueRow[] = [
  { path: "linux.privileged", default: false, type: BOOLEAN, meaning: "Runs the provider privileged, as SELinux may need it." },
  {
    path: "linux.dnsPolicy",
    default: "ClusterFirstWithHostNet",
    type: TEXT,
    meaning: "DNS policy of the provider's pods. Empty for the cluster's default.",
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
      because: "policies, healing and certificates name our objects, and a cluster has one install: the names are fixed",
    },
  },
  {
    path: "fullnameOverride",
    default: "",
    type: TEXT,
    meaning: "nothing",
    refused: {
      unless: [""],
      because: "policies, healing and certificates name our objects, and a cluster has one install: the names are fixed",
    },
  },
  {
    path: "imagePullSecrets",
    default: [],
    type: SECRET_REFERENCES,
    meaning: "Secrets to pull our image and the provider's with, each as `name: NAME`.",
  },
  { path: "logFormatJSON", default: false, type: BOOLEAN, meaning: "Writes the provider's log as JSON. Ours is `logFormat`." },
  { path: "logVerbosity", default: 0, type: NUMBER, meaning: "Verbosity of the provider's log. Ours is `logLevel`." },
  {
    path: "metricsAddr",
    default: "8898",
    type: PORT,
    meaning: "Port of the provider's metrics. Unlike upstream it is the process's port as well.",
  },
  {
    path: "enableArcExtension",
    default: false,
    type: BOOLEAN,
    meaning: "nothing",
    refused: {
      unless: [false],
      because: "beside the proxy, which Azure.proxySettings sets here without it, it adds Microsoft's telemetry: leave it out",
    },
  },
  { path: "rbac.install", default: true, type: BOOLEAN, meaning: "Makes the provider's ServiceAccount. `false` where somebody else does." },
  {
    path: "rbac.pspEnabled",
    default: false,
    type: BOOLEAN,
    meaning: "nothing",
    refused: { unless: [false], because: "Kubernetes has no PodSecurityPolicy since 1.25" },
  },
  {
    path: "constructPEMChain",
    default: true,
    type: BOOLEAN,
    flag: "construct-pem-chain",
    meaning: "Orders a PKCS#12 secret's certificates from leaf to root, in mounts and Secrets. Unlike upstream `false` has its effect.",
  },
  {
    path: "writeCertAndKeyInSeparateFiles",
    default: false,
    type: BOOLEAN,
    flag: "write-cert-and-key-in-separate-files",
    meaning: "Adds files `.crt` and `.key` to a certificate's secret, in mounts and Secrets.",
  },
];

/** What the Arc resource provider hands to the extension's chart. */
const proxyRows: readonly ValueRow[] = [
  {
    path: "Azure.proxySettings.isProxyEnabled",
    default: false,
    type: BOOLEAN,
    meaning: "Whether provider and worker use the proxy that the next four name.",
  },
  { path: "Azure.proxySettings.httpProxy", default: "", type: TEXT, meaning: "Proxy for plain HTTP, as in `HTTP_PROXY`." },
  { path: "Azure.proxySettings.httpsProxy", default: "", type: TEXT, meaning: "Proxy for HTTPS, as in `HTTPS_PROXY`." },
  {
    path: "Azure.proxySettings.noProxy",
    default: "",
    type: TEXT,
    meaning: "Hosts and networks that are reached without it, as in `NO_PROXY`.",
  },
  { path: "Azure.proxySettings.proxyCert", default: "", type: TEXT, meaning: "The proxy's CA in PEM, where the proxy opens TLS." },
];

const TELEMETRY = "a part of Microsoft's telemetry, which is not in this product: leave it out";
const FROM_ARC = "Azure Arc fills it in for its telemetry and its own identity, neither of which is in this product: leave it out";

/** What the extension has on top of the open chart. */
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
