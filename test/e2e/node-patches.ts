/**
 * Changes for the one test node to manifests that are otherwise applied as shipped. All changes are here, each with its reason. Image names
 * need none, because the images are loaded under the names in the manifests.
 */
export interface NodePatch {
  readonly target: { readonly kind: string; readonly name: string };
  readonly why: string;
  /** RFC 6902 operations. The `test` operations fail if a manifest has changed, instead of a patch in the wrong place. */
  readonly operations: readonly unknown[];
}

/** A pod's access to the emulator that replaces Azure. */
export interface EmulatorAccess {
  /** Address of its CONNECT proxy for pods. */
  readonly proxyUrl: string;
  /** Name of a ConfigMap in the pod's namespace with the CA certificate under `ca.crt`. */
  readonly caConfigMap: string;
}

const DRIVER = { kind: "DaemonSet", name: "csi-secrets-store" } as const;
const PROVIDER = { kind: "DaemonSet", name: "csi-secrets-store-provider-azure" } as const;
const SYNC = { kind: "Deployment", name: "keyvault-injector-sync" } as const;
const CONTAINER = "/spec/template/spec/containers/0";
const CA_FOLDER = "/emulator";

export function driverPatches({ pollInterval }: { readonly pollInterval: string }): readonly NodePatch[] {
  return [
    {
      target: DRIVER,
      why: "A run can't wait two minutes for a rotation. Go's flags take the last value given.",
      operations: [
        { op: "test", path: `${CONTAINER}/name`, value: "secrets-store" },
        { op: "add", path: `${CONTAINER}/args/-`, value: `--rotation-poll-interval=${pollInterval}` },
      ],
    },
  ];
}

export function providerPatches(emulator: EmulatorAccess): readonly NodePatch[] {
  return [
    {
      target: PROVIDER,
      why: "Azure is the emulator here. Its proxy answers for the real host names, so classes stay as users write them.",
      operations: [
        { op: "test", path: `${CONTAINER}/name`, value: "provider-azure-installer" },
        {
          op: "add",
          path: `${CONTAINER}/env`,
          value: [
            { name: "HTTPS_PROXY", value: emulator.proxyUrl },
            { name: "SSL_CERT_FILE", value: `${CA_FOLDER}/ca.crt` },
          ],
        },
        { op: "add", path: `${CONTAINER}/volumeMounts/-`, value: { name: "emulator", mountPath: CA_FOLDER, readOnly: true } },
        { op: "add", path: "/spec/template/spec/volumes/-", value: { name: "emulator", configMap: { name: emulator.caConfigMap } } },
      ],
    },
  ];
}

/** The webhook needs no patches: Service, certificate, arguments and probes are as shipped. */
export function injectorPatches(emulator: EmulatorAccess): readonly NodePatch[] {
  const unused: NodePatch = {
    target: SYNC,
    why: "A run can't wait five minutes for the end of Secrets that no pod uses any more.",
    operations: [{ op: "add", path: `${CONTAINER}/args/-`, value: "--unused-grace=10s" }],
  };
  return [workerAccess(emulator), workerPolls("10s"), unused];
}

export function workerAccess(emulator: EmulatorAccess): NodePatch {
  const mount = { name: "emulator", mountPath: CA_FOLDER, readOnly: true };
  return {
    target: SYNC,
    why: "Azure is the emulator here, as for the provider.",
    operations: [
      { op: "test", path: `${CONTAINER}/name`, value: "sync" },
      { op: "add", path: `${CONTAINER}/env/-`, value: { name: "HTTPS_PROXY", value: emulator.proxyUrl } },
      { op: "add", path: `${CONTAINER}/env/-`, value: { name: "NODE_EXTRA_CA_CERTS", value: `${CA_FOLDER}/ca.crt` } },
      { op: "add", path: `${CONTAINER}/volumeMounts`, value: [mount] },
      { op: "add", path: "/spec/template/spec/volumes", value: [{ name: "emulator", configMap: { name: emulator.caConfigMap } }] },
    ],
  };
}

export function workerPolls(interval: string): NodePatch {
  return {
    target: SYNC,
    why: "A run can't wait two minutes for a rotation; ten seconds is the least that the worker takes.",
    operations: [{ op: "add", path: `${CONTAINER}/args/-`, value: `--rotation-poll-interval=${interval}` }],
  };
}
