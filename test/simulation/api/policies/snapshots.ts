import { listAt, objectAt } from "../json.ts";
import { gainsNoHold, label, metadata, NAMESPACE, type Policy, WORKER } from "./policy.ts";

const SNAPSHOT = "keyvault-injector.dev/snapshot";

const isSnapshot = (value: string | undefined): boolean => value === "true" || value === "component";

/** ControllerRevisions that the worker can write. */
export const SNAPSHOTS: Policy = {
  name: "keyvault-injector-sync-snapshots",
  user: WORKER,
  resources: ["controllerrevisions.apps"],
  rules: (request) => {
    const { namespace, object, oldObject } = request;
    const labels = Object.keys(objectAt(metadata(object), "labels"));
    const isOurs =
      isSnapshot(label(object, SNAPSHOT)) &&
      labels.every((key) => key.startsWith("keyvault-injector.dev/")) &&
      listAt(metadata(object), "ownerReferences").length === 0 &&
      gainsNoHold(request);
    return [
      {
        holds: oldObject === undefined || isSnapshot(label(oldObject, SNAPSHOT)),
        message: 'the sync worker can change only ControllerRevisions with the label keyvault-injector.dev/snapshot: "true" or "component"',
      },
      {
        holds: object === undefined || isOurs,
        message:
          'the sync worker can write only ControllerRevisions with the label keyvault-injector.dev/snapshot: "true" or "component", without labels outside keyvault-injector.dev/, and without owners or new finalizers',
      },
      {
        holds: label(object, SNAPSHOT) !== "component" || namespace === NAMESPACE,
        message: "the sync worker can store component copies only in its own namespace",
      },
    ];
  },
};
