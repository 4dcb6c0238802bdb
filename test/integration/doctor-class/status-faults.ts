import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { classReader } from "../../support/cluster/class-reader.ts";
import { classPath, mergePatch, opaque } from "../../support/worker/sync-world.ts";
import type { DoctoredClasses } from "./doctored-classes.ts";
import type { Fault } from "./fault.ts";

/** Secrets in a status whose content comes from this version of the object. */
const written = (object: string, version: string) => [
  { name: "app", state: "Synced", data: [{ key: "value", object: `secret/${object}`, version }] },
];

/** Faults that the status reports, and faults of the Secret in the status. */
export function statusFaults(here: DoctoredClasses): readonly Fault[] {
  return [
    { leaf: "status-off", plant: () => here.aClass({ secretObjects: [] }), message: /no secretObjects/ },
    {
      leaf: "status-unreadable",
      plant: () => here.aClass(),
      asked: async (place) => ({ kubeconfig: await classReader(here.sync.plane, place.namespace, "get") }),
    },
    { leaf: "status-absent", plant: () => here.aClass() },
    {
      leaf: "status-outdated",
      plant: async () => {
        const place = await here.aClass();
        await here.setStatus(place, {});
        await mergePatch(here.sync.plane, classPath(place.namespace, place.name), {
          spec: { secretObjects: [opaque("other", here.object)] },
        });
        return place;
      },
    },
    {
      leaf: "status-failing",
      plant: async () => {
        const place = await here.aClass();
        const failing = {
          type: "Synced",
          status: "False",
          reason: "Forbidden",
          message: "not granted",
          observedGeneration: 1,
          lastTransitionTime: "2026-01-01T00:00:00Z",
        };
        await here.setStatus(place, { conditions: [failing] });
        return place;
      },
      message: /^Forbidden: not granted$/,
    },
    ...(
      [
        ["restarts-ok", "True", "Rotated"],
        ["restarts-waiting", "False", "Restarting"],
        ["restarts-held", "False", "RestartsPaused"],
        ["restarts-halted", "False", "RolloutFailed"],
        ["restarts-unknown", "Unknown", "VersionsUnknown"],
      ] as const
    ).map(
      ([leaf, status, reason]): Fault => ({
        leaf,
        plant: async () => {
          const place = await here.aClass();
          const rotated = { type: "Rotated", status, reason, message: "Deployment web", lastTransitionTime: "2026-01-01T00:00:00Z" };
          const synced = { ...rotated, type: "Synced", status: "True", reason: "Synced" };
          await here.setStatus(place, { conditions: [synced, rotated] });
          return place;
        },
        message: /Deployment web$/,
      }),
    ),
    {
      leaf: "secret-unreadable",
      plant: async () => {
        const place = await here.aClass();
        await here.setStatus(place, { secrets: written(here.object, "v1") });
        return place;
      },
      asked: async (place) => {
        const kubeconfig = await classReader(here.sync.plane, place.namespace, "get");
        await here.sync.plane.kubectl([
          "create",
          "rolebinding",
          "status",
          "-n",
          place.namespace,
          "--clusterrole=keyvault-injector-view",
          `--serviceaccount=${place.namespace}:reader`,
        ]);
        return { kubeconfig };
      },
    },
    {
      leaf: "secret-absent",
      plant: async () => {
        const place = await here.aClass();
        await here.setStatus(place, { secrets: written(here.object, "v1") });
        return place;
      },
      message: /Secret \S+\/app does not exist: the status says that it was written$/,
    },
    ...[
      { labels: {}, annotations: {}, message: /has no label/ },
      { labels: { "secrets-store.csi.k8s.io/managed": "true" }, annotations: {}, message: /CSI driver's own sync/ },
      { labels: { [MANAGED_LABEL]: "true" }, annotations: { [SECRET_ANNOTATIONS.class]: "another" }, message: /for the class another/ },
    ].map(
      ({ labels, annotations, message }): Fault => ({
        leaf: "secret-foreign",
        plant: async () => {
          const place = await here.aClass();
          await here.setStatus(place, { secrets: written(here.object, "v1") });
          await here.aSecret(place, { version: "v1", labels, annotations });
          return place;
        },
        message,
      }),
    ),
    {
      leaf: "secret-differs",
      plant: async () => {
        const place = await here.aClass();
        await here.setStatus(place, { secrets: written(here.object, "v2") });
        await here.aSecret(place, { version: "v1" });
        return place;
      },
      message: /does not contain secret\/object-\d+ version v2/,
    },
  ];
}
