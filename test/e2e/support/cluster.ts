import { eventually } from "../../support/time/eventually.ts";
import type { World } from "./world.ts";

/** Actions of scenarios in the node's cluster, as the administrator, in the default namespace. */
export interface Cluster {
  kubectl(...args: readonly string[]): Promise<string>;
  apply(...items: readonly object[]): Promise<string>;
  /** Deletes existing objects, and waits until they are gone. */
  remove(...targets: readonly string[]): Promise<string>;
  /** One field of one object, by JSONPath. Empty if the object or the field does not exist. */
  field(target: string, path: string): Promise<string>;
  /** Waits for the object's creation and for a condition of `kubectl wait --for`, at most one minute each. */
  wait(target: string, condition: string): Promise<string>;
  /** Content of a file in a running pod. */
  read(target: string, file: string): Promise<string>;
  /** Decoded value of a Secret's key. Undefined if it does not exist. */
  secretKey(name: string, key: string): Promise<string | undefined>;
  /** Checks twice a second, for at most 90 seconds. */
  until(what: string, holds: () => Promise<boolean>): Promise<boolean>;
}

/** Calls `world` for each action, because scenarios are registered before the node starts. */
export function clusterOf(world: () => World, namespace = "default"): Cluster {
  const inNamespace = `--namespace=${namespace}`;
  const kubectl = (...args: readonly string[]): Promise<string> =>
    world().node.kubectl([...args.slice(0, 1), inNamespace, ...args.slice(1)]);
  const field = (target: string, path: string): Promise<string> =>
    kubectl("get", target, "--ignore-not-found", `--output=jsonpath={${path}}`);
  return {
    kubectl,
    field,
    apply: (...items) =>
      world().node.kubectl(["apply", inNamespace, "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items })),
    remove: (...targets) => kubectl("delete", ...targets, "--ignore-not-found", "--timeout=60s"),
    wait: async (target, condition) => {
      // For an object that does not exist yet, every other condition fails immediately.
      await kubectl("wait", "--for=create", target, "--timeout=60s");
      return kubectl("wait", `--for=${condition}`, target, "--timeout=60s");
    },
    read: (target, file) => kubectl("exec", target, "--", "cat", file),
    secretKey: async (name, key) => {
      const base64 = await field(`secret/${name}`, `.data.${key.replaceAll(".", "\\.")}`);
      return base64 === "" ? undefined : Buffer.from(base64, "base64").toString("utf8");
    },
    until: (what, holds) => eventually(holds, { within: 90_000, every: 500, what }),
  };
}
