/**
 * Simulates a kubelet that runs pods and the driver that mounts, on an API server without nodes. Records the content that each container
 * received.
 */
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { dataOf, find, send } from "../support/worker/sync-world.ts";

/** Ways in which a container uses the object. */
export const STYLES = ["env", "envFrom", "volume", "part", "mount"] as const;

export type Style = (typeof STYLES)[number];

export interface UsedPod {
  readonly namespace: string;
  readonly name: string;
  readonly style: Style;
  /** Value of the Secret that the container received when it started. Undefined for a mount. */
  readonly started: string | undefined;
}

const CLASS = "web";
const SECRET = "db";
const KEY = "password";

const CONTAINERS: Readonly<Record<Style, object>> = {
  env: { env: [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: SECRET, key: KEY } } }] },
  envFrom: { envFrom: [{ secretRef: { name: SECRET } }] },
  volume: { volumeMounts: [{ name: "secret", mountPath: "/secret" }] },
  part: { volumeMounts: [{ name: "secret", mountPath: "/password", subPath: KEY }] },
  mount: { volumeMounts: [{ name: "class", mountPath: "/mnt", readOnly: true }] },
};

const VOLUMES = {
  class: { name: "class", csi: { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: CLASS } } },
  secret: { name: "secret", secret: { secretName: SECRET } },
};

/** Creates the pod on its node and immediately starts its container. */
export async function startPod(plane: ControlPlane, namespace: string, name: string, style: Style): Promise<UsedPod> {
  const volumes = style === "mount" ? [VOLUMES.class] : style === "volume" || style === "part" ? [VOLUMES.secret] : [];
  const containers = [
    { name: "app", image: "app:1", ...CONTAINERS[style] },
    { name: "other", image: "other:1" },
  ];
  const spec = { nodeName: "node-1", automountServiceAccountToken: false, containers, volumes };
  const path = `/api/v1/namespaces/${namespace}/pods`;
  await send(plane, { method: "POST", path, body: { apiVersion: "v1", kind: "Pod", metadata: { name }, spec } });
  const started = style === "mount" ? undefined : (await dataOf(plane, namespace, SECRET))?.[KEY];
  const running = {
    state: { running: { startedAt: new Date().toISOString().replace(/\.\d+Z$/, "Z") } },
    ready: true,
    restartCount: 0,
    image: "",
    imageID: "",
  };
  const status = { phase: "Running", containerStatuses: ["app", "other"].map((container) => ({ name: container, ...running })) };
  const contentType = "application/merge-patch+json";
  await send(plane, { method: "PATCH", path: `${path}/${name}/status`, contentType, body: { status } });
  return { namespace, name, style, started };
}

const POD_STATUSES = "/apis/secrets-store.csi.x-k8s.io/v1/namespaces";

/**
 * Writes the record that the driver writes after each mount of the class: creates it, or otherwise replaces the whole object, with the
 * driver's own account.
 */
export async function mountFiles(
  plane: ControlPlane,
  token: string,
  pod: UsedPod,
  versions: Readonly<Record<string, string>>,
): Promise<void> {
  const { namespace, name } = pod;
  const path = `${POD_STATUSES}/${namespace}/secretproviderclasspodstatuses`;
  const statusName = `${name}-${namespace}-${CLASS}`;
  const [stored, owner] = await Promise.all([
    find<KubeObject>(plane, `${path}/${statusName}`),
    find<KubeObject>(plane, `/api/v1/namespaces/${namespace}/pods/${name}`),
  ]);
  const objects = Object.entries(versions).map(([id, version]) => ({ id, version }));
  const status = { podName: name, secretProviderClassName: CLASS, mounted: true, targetPath: "/var/lib/kubelet/x", objects };
  const metadata = {
    name: statusName,
    labels: { "internal.secrets-store.csi.k8s.io/node-name": "node-1" },
    ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid: owner?.metadata.uid }],
    ...(stored === undefined ? {} : { resourceVersion: stored.metadata.resourceVersion }),
  };
  const body = { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClassPodStatus", metadata, status };
  const call = stored === undefined ? ({ method: "POST", path } as const) : ({ method: "PUT", path: `${path}/${statusName}` } as const);
  await send(plane, { ...call, body, token });
}
