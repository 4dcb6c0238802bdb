import { prefixed } from "../support/fixtures/pods.ts";

/** Returns one workload of each kind that creates pods even without nodes, with different annotations. */
export function manyWorkloads(): readonly object[] {
  const template = (annotations: Readonly<Record<string, string>>, spec: object): object => ({
    metadata: { labels: { app: "web" }, annotations: prefixed({ inject: "true", ...annotations }) },
    spec: { containers: [{ name: "app", image: "app:1" }], ...spec },
  });
  const selector = { matchLabels: { app: "web" } };
  const many = {
    initContainers: [
      { name: "first", image: "app:1" },
      { name: "proxy", image: "app:1", restartPolicy: "Always" },
    ],
    containers: [
      { name: "app", image: "app:1", volumeMounts: [{ name: "tmp", mountPath: "/tmp" }] },
      { name: "other", image: "app:1" },
    ],
    volumes: [{ name: "tmp", emptyDir: {} }],
  };
  const own = {
    name: "own",
    csi: { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: "app-identity" } },
  };
  const classes = { "secret-provider-class": "principal,app-identity", containers: "-other", "env-from": "made-by-hand" };
  return [
    { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec: { selector, template: template(classes, many) } },
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "s" },
      spec: { serviceName: "s", selector, template: template({ "secret-provider-class": "app-identity" }, { volumes: [own] }) },
    },
    {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: { name: "r" },
      spec: {
        selector,
        template: template({ "secret-provider-class": "principal", "mount-path": "/run/x" }, { automountServiceAccountToken: false }),
      },
    },
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "j" },
      spec: { template: template({ "secret-provider-class": "still-to-come" }, { restartPolicy: "Never" }) },
    },
  ];
}

/** Classes that the workloads mount. */
export const CLASSES_OF_WORKLOADS = [
  { name: "principal", parameters: { usePodIdentity: "false", keyvaultName: "kv1", tenantId: "t" } },
  { name: "app-identity", parameters: { clientID: "app", keyvaultName: "kv1", tenantId: "t" } },
].map(({ name, parameters }) => ({
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { name, annotations: { "keyvault-injector.dev/sync": "never" } },
  spec: { provider: "azure", parameters: { ...parameters, objects: "array: []" } },
}));
