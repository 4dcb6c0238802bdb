/** Pods as a kubelet runs them and mounts as the driver makes them, on an API server without nodes: what each container got is kept beside. */
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { dataOf, find, send } from "../support/worker/sync-world.ts";

/** How a container has the object. */
export const STYLES = ["env", "envFrom", "volume", "part", "mount"] as const;

export type Style = (typeof STYLES)[number];

export interface UsedPod {
  readonly namespace: string;
  readonly name: string;
  readonly style: Style;
  /** Value that the container got of the Secret when it started; undefined for a mount. */
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

/** Creates the pod on its node, and starts its container now. */
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

/** What the driver writes when it has mounted the class, or mounted it again: created, else updated as a whole, by its own account. */
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
