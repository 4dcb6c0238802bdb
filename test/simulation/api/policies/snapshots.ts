import { listAt, objectAt } from "../json.ts";
import { label, metadata, NAMESPACE, type Policy, WORKER } from "./policy.ts";

const SNAPSHOT = "keyvault-injector.dev/snapshot";

const isSnapshot = (value: string | undefined): boolean => value === "true" || value === "component";

/** Which ControllerRevisions the worker may write. */
export const SNAPSHOTS: Policy = {
  name: "keyvault-injector-sync-snapshots",
  user: WORKER,
  resources: ["controllerrevisions.apps"],
  rules: ({ namespace, object, oldObject }) => {
    const labels = Object.keys(objectAt(metadata(object), "labels"));
    const isOurs =
      isSnapshot(label(object, SNAPSHOT)) &&
      labels.every((key) => key.startsWith("keyvault-injector.dev/")) &&
      listAt(metadata(object), "ownerReferences").length === 0;
    return [
      {
        holds: oldObject === undefined || isSnapshot(label(oldObject, SNAPSHOT)),
        message:
          'the sync worker touches only ControllerRevisions that carry the label keyvault-injector.dev/snapshot: "true", or "component"',
      },
      {
        holds: object === undefined || isOurs,
        message:
          'the sync worker writes only ControllerRevisions that carry the label keyvault-injector.dev/snapshot: "true" (or "component"), no label outside keyvault-injector.dev/ and no owner',
      },
      {
        holds: label(object, SNAPSHOT) !== "component" || namespace === NAMESPACE,
        message: "the sync worker keeps copies of components in its own namespace only",
      },
    ];
  },
};
