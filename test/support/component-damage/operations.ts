import { type KubeObject } from "../../../src/domain/kubernetes.ts";
import { type DamagedCluster, manifestOf, readTarget, type Target } from "./cluster.ts";

/** One way to damage one object. The test counts operations by this name. */
export interface Operation {
  readonly operation: string;
  inflict(cluster: DamagedCluster, target: Target): Promise<unknown>;
}

const where = ({ namespace }: Target): readonly string[] => (namespace === undefined ? [] : ["-n", namespace]);
const on = ({ resource, name }: Target): string => `${resource.plural}${resource.group === "" ? "" : `.${resource.group}`}/${name}`;

/** `kubectl <verb> <target> <args>` */
const kubectl =
  (verb: readonly string[], ...args: readonly string[]) =>
  (cluster: DamagedCluster, target: Target): Promise<string> =>
    cluster.kubectl([...verb, on(target), ...args, ...where(target)]);

export const deleted: Operation = { operation: "delete", inflict: kubectl(["delete"], "--wait=false") };

export const orphaned: Operation = {
  operation: "delete --cascade=orphan",
  inflict: kubectl(["delete"], "--cascade=orphan", "--wait=false"),
};

export const scaled = (replicas: number): Operation => ({
  operation: "scale",
  inflict: kubectl(["scale"], `--replicas=${replicas}`),
});

export const imageSet = (container: string): Operation => ({
  operation: "set image",
  inflict: kubectl(["set", "image"], `${container}=example.com/other:1`),
});

export const environmentSet = (variable: string): Operation => ({
  operation: "set env",
  inflict: kubectl(["set", "env"], `${variable}=elsewhere`),
});

export const environmentTaken = (variable: string): Operation => ({
  operation: "set env NAME-",
  inflict: kubectl(["set", "env"], `${variable}-`),
});

export const resourcesSet: Operation = { operation: "set resources", inflict: kubectl(["set", "resources"], "--limits=memory=1Gi") };

export const accountSet: Operation = {
  operation: "set serviceaccount",
  inflict: (cluster, target) => cluster.kubectl(["set", "serviceaccount", on(target), "default", ...where(target)]),
};

export const selectorSet: Operation = {
  operation: "set selector",
  inflict: (cluster, target) => cluster.kubectl(["set", "selector", on(target), "app=elsewhere", ...where(target)]),
};

/** Overwrites a label that the installer set. */
export const relabelled = (label: string): Operation => ({
  operation: "label",
  inflict: kubectl(["label"], `${label}=somebody-elses`, "--overwrite"),
});

export const unlabelled = (label: string): Operation => ({ operation: "label NAME-", inflict: kubectl(["label"], `${label}-`) });

/** Merge patch. */
export const merged = (patch: unknown): Operation => ({
  operation: "patch --type=merge",
  inflict: kubectl(["patch"], "--type=merge", `--patch=${JSON.stringify(patch)}`),
});

/** JSON patch. */
export const patched = (...patch: readonly unknown[]): Operation => ({
  operation: "patch --type=json",
  inflict: kubectl(["patch"], "--type=json", `--patch=${JSON.stringify(patch)}`),
});

/** Strategic merge patch. */
export const strategicallyPatched = (patch: unknown): Operation => ({
  operation: "patch",
  inflict: kubectl(["patch"], `--patch=${JSON.stringify(patch)}`),
});

/** Replaces the whole object with `kubectl replace`. */
export const replaced = (change: (object: KubeObject) => unknown): Operation => ({
  operation: "replace",
  inflict: async (cluster, target) => {
    const live = await readTarget(cluster, target);
    if (live === undefined) throw new Error(`${target.name} is not there`);
    const { apiVersion, kind } = manifestOf(cluster, target);
    const { managedFields: _owners, ...metadata } = live.metadata;
    return cluster.kubectl(["replace", "-f", "-"], JSON.stringify(change({ ...live, apiVersion, kind, metadata })));
  },
});

/** Another field manager's server-side apply that takes over fields by force. */
export const takenOver = (fields: Readonly<Record<string, unknown>>): Operation => ({
  operation: "apply --server-side --force-conflicts",
  inflict: (cluster, target) => {
    const { apiVersion, kind, metadata } = manifestOf(cluster, target);
    const { namespace, name } = metadata;
    const body = { apiVersion, kind, metadata: { name, namespace }, ...fields };
    return cluster.kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager=rogue", "-f", "-"], JSON.stringify(body));
  },
});

/** Removes the record of field managers. */
export const disowned: Operation = {
  operation: "wipe managedFields",
  inflict: kubectl(
    ["patch"],
    "--type=json",
    `--patch=${JSON.stringify([{ op: "replace", path: "/metadata/managedFields", value: [{}] }])}`,
  ),
};

/** Deletes the object and immediately creates another one with the same name. */
export const remade = (change: (manifest: object) => object): Operation => ({
  operation: "delete and create",
  inflict: async (cluster, target) => {
    await cluster.kubectl(["delete", on(target), ...where(target)]);
    await cluster.kubectl(["create", "-f", "-"], JSON.stringify(change(manifestOf(cluster, target))));
  },
});
