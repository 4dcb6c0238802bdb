/** Values of the Azure provider's chart, which are the extension's, under the same names. */
import type { Json } from "./place.ts";
import { BOOLEAN, DURATION, LIST, MAP, NUMBER, PORT, TEXT, type ValueRow } from "./value-row.ts";
import { daemonSetRows, imageRows, resources, SYSTEMS, type System } from "./values-upstream.ts";

const IMAGE = { repository: "mcr.microsoft.com/oss/v2/azure/secrets-store/provider-azure", tag: "v1.8.2" };
const RESOURCES: Readonly<Record<System, Json>> = {
  linux: resources({ cpu: "50m", memory: "100Mi" }, { cpu: "50m", memory: "100Mi" }),
  windows: resources({ cpu: "100m", memory: "200Mi" }, { cpu: "100m", memory: "200Mi" }),
};

function providerRows(system: System): readonly ValueRow[] {
  const untested = system === "windows" ? "; never run on a Windows node" : "";
  return [
    { path: `${system}.enabled`, default: system === "linux", type: BOOLEAN, meaning: `the Azure provider on ${system} nodes${untested}` },
    ...imageRows(`${system}.image`, IMAGE),
    { path: `${system}.resources`, default: RESOURCES[system], type: MAP, meaning: "requests and limits of the provider" },
    { path: `${system}.customUserAgent`, default: "", type: TEXT, meaning: "added to the provider's user agent" },
    { path: `${system}.healthzPort`, default: 8989, type: NUMBER, meaning: "port of the provider's health check" },
    { path: `${system}.healthzPath`, default: "/healthz", type: TEXT, meaning: "its path" },
    { path: `${system}.healthzTimeout`, default: "5s", type: DURATION, meaning: "its time limit" },
    ...daemonSetRows(`${system}.`, system),
  ];
}

const linuxRows: readonly ValueRow[] = [
  { path: "linux.privileged", default: false, type: BOOLEAN, meaning: "a privileged provider, as SELinux may need it" },
  {
    path: "linux.dnsPolicy",
    default: "ClusterFirstWithHostNet",
    type: TEXT,
    meaning: "DNS policy of the provider's pods; empty for the cluster's default",
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
  { path: "imagePullSecrets", default: [], type: LIST, meaning: "to pull our image and the provider's with" },
  { path: "logFormatJSON", default: false, type: BOOLEAN, meaning: "the provider's log as JSON; ours: `logFormat`" },
  { path: "logVerbosity", default: 0, type: NUMBER, meaning: "the provider's verbosity; ours: `logLevel`" },
  {
    path: "metricsAddr",
    default: "8898",
    type: PORT,
    meaning: "port of the provider's metrics; unlike upstream it is the process's port as well",
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
  { path: "rbac.install", default: true, type: BOOLEAN, meaning: "the provider's ServiceAccount; `false` where somebody else makes it" },
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
    meaning: "order a PKCS#12 secret's certificates from leaf to root, in mounts and Secrets; unlike upstream `false` has its effect",
  },
  {
    path: "writeCertAndKeyInSeparateFiles",
    default: false,
    type: BOOLEAN,
    flag: "write-cert-and-key-in-separate-files",
    meaning: "files `.crt` and `.key` beside a certificate's secret, in mounts and Secrets",
  },
];

/** What the Arc resource provider hands to the extension's chart. */
const proxyRows: readonly ValueRow[] = [
  {
    path: "Azure.proxySettings.isProxyEnabled",
    default: false,
    type: BOOLEAN,
    meaning: "whether the proxy of the next four is used, by provider and worker",
  },
  { path: "Azure.proxySettings.httpProxy", default: "", type: TEXT, meaning: "`HTTP_PROXY`" },
  { path: "Azure.proxySettings.httpsProxy", default: "", type: TEXT, meaning: "`HTTPS_PROXY`" },
  { path: "Azure.proxySettings.noProxy", default: "", type: TEXT, meaning: "`NO_PROXY`" },
  { path: "Azure.proxySettings.proxyCert", default: "", type: TEXT, meaning: "the proxy's CA (PEM), where it opens TLS" },
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
