import { eventually } from "../../support/time/eventually.ts";
import type { World } from "./world.ts";

/** What scenarios do to the node's cluster, as its administrator, in the default namespace. */
export interface Cluster {
  kubectl(...args: readonly string[]): Promise<string>;
  apply(...items: readonly object[]): Promise<string>;
  /** Deletes what is there and waits until it is gone. */
  remove(...targets: readonly string[]): Promise<string>;
  /** One field of one object, by JSONPath; empty where the object or the field is absent. */
  field(target: string, path: string): Promise<string>;
  /** Waits, a minute each, for the object to be there and for `kubectl wait --for`'s condition of it. */
  wait(target: string, condition: string): Promise<string>;
  /** A file in a running pod. */
  read(target: string, file: string): Promise<string>;
  /** A decoded key of a Secret; undefined where it is absent. */
  secretKey(name: string, key: string): Promise<string | undefined>;
  /** Polls twice a second, for a minute and a half. */
  until(what: string, holds: () => Promise<boolean>): Promise<boolean>;
}

/** `world` is asked at each call: scenarios are registered before the node starts. */
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
      // Of what does not exist yet every other condition is an error at once.
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
