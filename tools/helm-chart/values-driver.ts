/** Values of the CSI driver's chart, which the AKS extension has under `secrets-store-csi-driver`. */
import type { Json } from "./place.ts";
import {
  BOOLEAN,
  DURATION,
  LABELS,
  LIST,
  MAP,
  NUMBER,
  PORT,
  SECRET_REFERENCES,
  TEXT,
  TEXTS,
  TOKEN_REQUESTS,
  type ValueRow,
} from "./value-row.ts";
import { daemonSetRows, imageRows, resources, SYSTEMS, type System } from "./values-upstream.ts";

/** Tags and repositories of the images that upstream's two charts name by default. */
const CRD_IMAGES = {
  repositories: ["registry.k8s.io/csi-secrets-store/driver-crds", "mcr.microsoft.com/oss/v2/kubernetes-csi/secrets-store/driver-crds"],
  tags: ["v1.6.0", "v1.5.6"],
};
const NO_JOB = "this chart runs no Job for the CRDs: Helm installs them, and the worker upgrades them. Omit this value";

const DECIDED = { type: ["boolean", "null"] } as const;
const ONE_DEFAULT =
  "If unset, the value is `true` in a new install, `false` with `preset: extension`, and the previous value in an upgrade.";

const SIDECARS: Readonly<Record<System, Json>> = {
  linux: resources({ cpu: "10m", memory: "20Mi" }, { cpu: "100m", memory: "100Mi" }),
  windows: resources({ cpu: "100m", memory: "100Mi" }, { cpu: "200m", memory: "200Mi" }),
};
const DRIVER: Readonly<Record<System, Json>> = {
  linux: resources({ cpu: "50m", memory: "100Mi" }, { cpu: "200m", memory: "200Mi" }),
  windows: resources({ cpu: "100m", memory: "100Mi" }, { cpu: "400m", memory: "400Mi" }),
};

function driverRows(system: System): readonly ValueRow[] {
  const untested = system === "windows" ? " This value is untested." : "";
  return [
    {
      path: `${system}.enabled`,
      default: system === "linux",
      type: BOOLEAN,
      meaning: `Runs the driver on ${system === "linux" ? "Linux" : "Windows"} nodes.${untested}`,
    },
    ...imageRows(`${system}.image`, { repository: "registry.k8s.io/csi-secrets-store/driver", tag: "v1.6.0" }),
    ...imageRows(`${system}.registrarImage`, { repository: "registry.k8s.io/sig-storage/csi-node-driver-registrar", tag: "v2.16.0" }),
    ...imageRows(`${system}.livenessProbeImage`, { repository: "registry.k8s.io/sig-storage/livenessprobe", tag: "v2.18.0" }),
    {
      path: `${system}.driver.resources`,
      default: DRIVER[system],
      type: MAP,
      meaning: "Requests and limits of the driver's container.",
    },
    {
      path: `${system}.registrar.resources`,
      default: SIDECARS[system],
      type: MAP,
      meaning: "Requests and limits of the registrar's container.",
    },
    {
      path: `${system}.registrar.logVerbosity`,
      default: 0,
      type: NUMBER,
      meaning: "Verbosity of the registrar's log; upstream's default is 5.",
    },
    {
      path: `${system}.livenessProbe.resources`,
      default: SIDECARS[system],
      type: MAP,
      meaning: "Requests and limits of the liveness probe's container.",
    },
    {
      path: `${system}.additionalProvidersDirs`,
      default: system === "linux" ? ["/etc/kubernetes/secrets-store-csi-providers"] : [],
      type: TEXTS,
      meaning: "Additional folders with sockets, for other providers in the cluster.",
    },
    { path: `${system}.metricsAddr`, default: ":8095", type: PORT, meaning: "Address of the driver's metrics." },
    { path: `${system}.env`, default: [], type: LIST, meaning: "Additional environment variables of the driver." },
    { path: `${system}.daemonsetAnnotations`, default: {}, type: LABELS, meaning: "Annotations of the DaemonSet." },
    ...daemonSetRows(`${system}.`, system),
  ];
}

const crdRows: readonly ValueRow[] = [
  {
    path: "linux.crds.enabled",
    default: true,
    type: BOOLEAN,
    meaning: "nothing",
    refused: {
      unless: [true],
      because:
        "keyvault-injector needs the CRDs. To install them another way, use --skip-crds. To turn off their healing, change the value heal",
    },
  },
  {
    path: "linux.crds.image.repository",
    default: "",
    type: TEXT,
    meaning: "nothing",
    refused: { unless: ["", ...CRD_IMAGES.repositories], because: NO_JOB },
  },
  {
    path: "linux.crds.image.tag",
    default: "",
    type: TEXT,
    meaning: "nothing",
    refused: { unless: ["", ...CRD_IMAGES.tags], because: NO_JOB },
  },
  { path: "linux.crds.image.digest", default: "", type: TEXT, meaning: "nothing", refused: { unless: [""], because: NO_JOB } },
  {
    path: "linux.crds.image.pullPolicy",
    default: "IfNotPresent",
    type: TEXT,
    meaning: "nothing",
    refused: { unless: ["IfNotPresent"], because: NO_JOB },
  },
  { path: "linux.crds.resources", default: {}, type: MAP, meaning: "nothing", refused: { unless: [{}], because: NO_JOB } },
  { path: "linux.crds.annotations", default: {}, type: MAP, meaning: "nothing", refused: { unless: [{}], because: NO_JOB } },
  { path: "linux.crds.podLabels", default: {}, type: MAP, meaning: "nothing", refused: { unless: [{}], because: NO_JOB } },
];

const bothRows: readonly ValueRow[] = [
  { path: "install", default: true, type: BOOLEAN, meaning: "Installs the CSI driver. Use `false` if the cluster already has one." },
  {
    path: "nameOverride",
    default: "",
    type: TEXT,
    meaning: "nothing",
    refused: { unless: [""], because: "the names of the driver's objects are fixed, because healing finds the objects by name" },
  },
  {
    path: "fullnameOverride",
    default: "secrets-store-csi-driver",
    type: TEXT,
    meaning: "nothing",
    refused: {
      unless: ["", "secrets-store-csi-driver"],
      because: "the names of the driver's objects are fixed, because healing finds the objects by name",
    },
  },
  {
    path: "syncSecret.enabled",
    default: null,
    type: DECIDED,
    flag: "sync-secret",
    meaning:
      "Whether the worker syncs `secretObjects` to Secrets. The worker replaces the driver's own sync, which the chart never enables. " +
      ONE_DEFAULT,
  },
  {
    path: "enableSecretRotation",
    default: null,
    type: DECIDED,
    flag: "enable-secret-rotation",
    meaning: "Whether the driver updates mounts, and the worker updates Secrets, when the vault has new versions. " + ONE_DEFAULT,
  },
  {
    path: "rotationPollInterval",
    default: "2m",
    type: DURATION,
    flag: "rotation-poll-interval",
    meaning: "How often the driver and the worker check each class against its vault. Shorter intervals use more vault transactions.",
  },
  { path: "logVerbosity", default: 0, type: NUMBER, meaning: "Verbosity of the driver's log." },
  { path: "logFormatJSON", default: false, type: BOOLEAN, meaning: "Writes the driver's log as JSON." },
  {
    path: "livenessProbe.port",
    default: 9808,
    type: NUMBER,
    meaning: "Port of the driver's health check.",
  },
  { path: "livenessProbe.logLevel", default: 0, type: NUMBER, meaning: "Verbosity of the liveness probe's log; upstream's default is 2." },
  {
    path: "maxCallRecvMsgSize",
    default: 4194304,
    type: NUMBER,
    meaning: "Maximum size of a provider's response in bytes. Raise it if a class has many or large objects.",
  },
  { path: "providerHealthCheck", default: false, type: BOOLEAN, meaning: "Makes the driver check the health of its providers." },
  { path: "providerHealthCheckInterval", default: "2m", type: DURATION, meaning: "How often the driver checks its providers." },
  {
    path: "rbac.install",
    default: true,
    type: BOOLEAN,
    meaning: "Creates the driver's ServiceAccount and roles. Use `false` if you create them yourself.",
  },
  {
    path: "rbac.pspEnabled",
    default: false,
    type: BOOLEAN,
    meaning: "nothing",
    refused: { unless: [false], because: "Kubernetes 1.25 removed PodSecurityPolicy" },
  },
  {
    path: "filteredWatchSecret",
    default: true,
    type: BOOLEAN,
    meaning: "nothing, as upstream",
    refused: { unless: [true], because: "supported driver versions ignore this value: they always watch only labeled Secrets" },
  },
  {
    path: "tokenRequests",
    default: [{ audience: "api://AzureADTokenExchange" }, { audience: "api://AKSIdentityBinding" }],
    type: TOKEN_REQUESTS,
    meaning:
      "Audiences of the tokens that the kubelet passes to the driver. Workload identity requires the first default audience, and AKS identity bindings require the second.",
  },
  {
    path: "imagePullSecrets",
    default: [],
    type: SECRET_REFERENCES,
    meaning: "Secrets for pulling the driver's images, each as `name: NAME`.",
  },
  { path: "commonLabels", default: {}, type: LABELS, meaning: "Labels of the driver's DaemonSets, their pods, and the CSIDriver." },
  {
    path: "automountServiceAccountToken",
    default: true,
    type: BOOLEAN,
    meaning: "Mounts the driver's ServiceAccount token. Use `false` if `env` and `volumes` supply a kubeconfig.",
  },
];

export const DRIVER_ROWS: readonly ValueRow[] = [...SYSTEMS.flatMap(driverRows), ...crdRows, ...bothRows].map((row) => ({
  ...row,
  path: `secrets-store-csi-driver.${row.path}`,
  upstream: "driver",
}));
