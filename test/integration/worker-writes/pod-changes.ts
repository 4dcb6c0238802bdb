/** Changes that a thief of the worker's token would make to the pods of our components. */

import type { Operation as PatchOperation } from "fast-json-patch";

export type Operation = PatchOperation;

export const add = (path: string, value: unknown): Operation => ({ op: "add", path, value });
export const replace = (path: string, value: unknown): Operation => ({ op: "replace", path, value });
export const remove = (path: string): Operation => ({ op: "remove", path });

/** Changes that apply to every object. */
export const HELD: Readonly<Record<string, readonly Operation[]>> = {
  "a finalizer": [add("/metadata/finalizers", ["example.com/hold"])],
  "an owner": [add("/metadata/ownerReferences", [{ apiVersion: "v1", kind: "Namespace", name: "default", uid: "0" }])],
};

export const POD = "/spec/template/spec";
export const CONTAINER = `${POD}/containers/0`;

const VOLUMES: Readonly<Record<string, unknown>> = {
  "a folder of the host": { name: "root", hostPath: { path: "/" } },
  "a Secret as files": { name: "creds", secret: { secretName: "keyvault-injector-ca" } },
  "a token for anybody": { name: "token", projected: { sources: [{ serviceAccountToken: { path: "token", audience: "vault" } }] } },
};

/** Adds a volume to the existing list, or a new list. */
export const volumeChanges = (hasVolumes: boolean): Readonly<Record<string, readonly Operation[]>> =>
  Object.fromEntries(
    Object.entries(VOLUMES).map(([what, volume]) => [
      what,
      [hasVolumes ? add(`${POD}/volumes/-`, volume) : add(`${POD}/volumes`, [volume])],
    ]),
  );

export const POD_CHANGES: Readonly<Record<string, readonly Operation[]>> = {
  "another image": [replace(`${CONTAINER}/image`, "registry.example/evil:1")],
  "another image under the tag that is there": [replace(`${CONTAINER}/image`, "registry.example/keyvault-injector:0.4.0")],
  "another command": [add(`${CONTAINER}/command`, ["node", "-e", "0"])],
  "a variable less": [remove(`${CONTAINER}/env`)],
  "one more flag": [add(`${CONTAINER}/args/-`, "--managed-identity-namespaces=*")],
  "none of its arguments": [remove(`${CONTAINER}/args`)],
  "fewer arguments": [remove(`${CONTAINER}/args/0`)],
  "a word that is no flag": [add(`${CONTAINER}/args/-`, "elsewhere.js")],
  "another account": [replace(`${POD}/serviceAccountName`, "secrets-store-csi-driver"), replace(`${POD}/serviceAccount`, "default")],
  "the host's processes": [add(`${POD}/hostPID`, true)],
  "the host's memory": [add(`${POD}/hostIPC`, true)],
  "a Secret as variables": [add(`${CONTAINER}/envFrom`, [{ secretRef: { name: "keyvault-injector-ca" } }])],
  "a variable of a Secret": [
    add(`${CONTAINER}/env/-`, { name: "KEY", valueFrom: { secretKeyRef: { name: "keyvault-injector-ca", key: "ca.key" } } }),
  ],
  "a variable that loads code": [add(`${CONTAINER}/env/-`, { name: "NODE_OPTIONS", value: "--import=data:text/javascript,0" })],
  privileges: [add(`${CONTAINER}/securityContext`, { privileged: true })],
  "another capability": [add(`${CONTAINER}/securityContext`, { capabilities: { add: ["SYS_ADMIN"] } })],
  "one more container": [add(`${POD}/containers/-`, { name: "more", image: "registry.example/evil:1" })],
  "a container before it": [add(`${POD}/initContainers`, [{ name: "before", image: "registry.example/evil:1" }])],
  "a command after its start": [add(`${CONTAINER}/lifecycle`, { postStart: { exec: { command: ["node", "-e", "0"] } } })],
  "a command as its probe": [add(`${CONTAINER}/livenessProbe`, { exec: { command: ["node", "-e", "0"] } })],
  "a port of the host": [add(`${CONTAINER}/ports/-`, { name: "host", containerPort: 4443, hostPort: 4443 })],
  "a node of its choice": [add(`${POD}/nodeName`, "node-1")],
  "room for no other pod": [add(`${CONTAINER}/resources`, { requests: { cpu: "30", memory: "8Gi" }, limits: { memory: "8Gi" } })],
  "no limit of its memory": [remove(`${CONTAINER}/resources/limits/memory`)],
  "another priority": [add(`${POD}/priorityClassName`, "system-cluster-critical")],
  "every node": [add(`${POD}/tolerations`, [{ key: "example.com/none", operator: "Exists" }])],
  "a node that somebody else needs": [
    add(`${POD}/affinity`, {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "example.com/of", operator: "In", values: ["somebody"] }] }],
        },
      },
    }),
  ],
  "another node selector": [add(`${POD}/nodeSelector`, { "example.com/of": "somebody" })],
  "pods that take years to end": [add(`${POD}/terminationGracePeriodSeconds`, 100_000_000)],
  "a label by which somebody's Service sends its requests there": [add("/spec/template/metadata/labels/k8s-app", "kube-dns")],
  "an annotation that has something put into the pod": [
    add("/spec/template/metadata/annotations", { "sidecar.example.com/inject": "true" }),
  ],
  "another runtime": [add(`${POD}/runtimeClassName`, "other")],
  "other names of hosts": [add(`${POD}/hostAliases`, [{ ip: "192.0.2.1", hostnames: ["vault.azure.net"] }])],
  ...HELD,
};
