import jsonPatch from "fast-json-patch";
import { APPLY_PATCH, JSON_PATCH, MERGE_PATCH } from "../../support/cluster/api-request.ts";
import { at } from "../../support/cluster/shipped-manifests.ts";
import { TARGETS, type Target } from "../worker-writes/table.ts";
import { type Attempt, isDone } from "./attempt.ts";

export const pathOf = ({ collection, object }: Target): string => `${collection}/${object}`;

function changesOf({ changes }: Target, but: readonly string[] = []) {
  return Object.entries(changes).filter(([what]) => !but.includes(what));
}

/** Attempts to change or delete existing components. */
export function editsOfComponents(): readonly Attempt[] {
  return TARGETS.flatMap((target): readonly Attempt[] => [
    ...changesOf(target, target.onlyAnew).map(
      ([what, body]): Attempt => ({
        what: `${what}: ${target.name}`,
        call: { method: "PATCH", path: pathOf(target), contentType: JSON_PATCH, body },
        succeeded: isDone,
      }),
    ),
    { what: `the end of ${target.name}`, call: { method: "DELETE", path: pathOf(target) }, succeeded: isDone },
  ]);
}

/** Attempts to make the same changes while recreating a deleted object, as healing does. */
export function restorationsOf(target: Target, live: object): readonly Attempt[] {
  const whole = anew(live);
  return changesOf(target, target.onlyOnUpdate).map(([what, operations]): Attempt => {
    const body: unknown = jsonPatch.applyPatch(structuredClone(whole), structuredClone([...operations])).newDocument;
    return {
      what: `${what}: ${target.name}, made anew`,
      call: { method: "PATCH", path: `${pathOf(target)}?fieldManager=kubectl&force=true`, contentType: APPLY_PATCH, body },
      succeeded: isDone,
    };
  });
}

/** Returns the object in the form in which the worker would recreate it. */
export function anew(live: object): object {
  const { name, namespace, labels, annotations } = Object(at(live, "metadata")) as Readonly<Record<string, unknown>>; // An API object.
  const { status: _status, ...rest } = live as Readonly<Record<string, unknown>>;
  return { ...rest, metadata: { name, namespace, labels: labels ?? {}, annotations: annotations ?? {} } };
}

const CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1/namespaces";

/** Attempts to change a class of another author, and with it the files that the driver mounts into its pods. */
export function editsOfClass(namespace: string, name: string): readonly Attempt[] {
  const changes: Readonly<Record<string, unknown>> = {
    "another vault": { spec: { parameters: { keyvaultName: "of-the-thief" } } },
    "another identity": { spec: { parameters: { useVMManagedIdentity: "true" } } },
    "another provider": { spec: { provider: "of-the-thief" } },
    "no secretObjects": { spec: { secretObjects: null } },
    "another account": { metadata: { annotations: { "keyvault-injector.dev/service-account": "admin" } } },
    "another label": { metadata: { labels: { of: "the-thief" } } },
    "a finalizer": { metadata: { finalizers: ["example.com/hold"] } },
  };
  const path = `${CLASSES}/${namespace}/secretproviderclasses/${name}`;
  return [
    ...Object.entries(changes).map(
      ([what, body]): Attempt => ({
        what: `${what}: class ${namespace}/${name}`,
        call: { method: "PATCH", path, contentType: MERGE_PATCH, body },
        succeeded: isDone,
      }),
    ),
    { what: `the end of class ${namespace}/${name}`, call: { method: "DELETE", path }, succeeded: isDone },
  ];
}
