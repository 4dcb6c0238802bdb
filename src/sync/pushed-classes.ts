import { keyOf, refOfKey } from "../domain/object-key.ts";
import type { OperatorLimits } from "../domain/provider-class/operator-limits.ts";
import type { ReadCloudFile } from "../domain/provider-class/parameters.ts";
import { secretObjectsOf } from "../domain/sync/named-secrets.ts";
import type { HeldClasses } from "./classes/held-classes.ts";
import { isMirrored, type Mirroring } from "./classes/observe.ts";
import type { StatusStore } from "./classes/status-store.ts";
import type { CrdHealth } from "./healing/crd-health.ts";
import type { PushedClasses } from "./push/push.ts";
import { hasRefusal } from "./push/refused-class.ts";

interface Options extends Pick<Mirroring, "settings"> {
  readonly limits: Pick<OperatorLimits, "cloudName">;
  readonly readCloudFile: ReadCloudFile | undefined;
}

interface Live {
  readonly classes: Pick<HeldClasses, "get" | "hasSynced">;
  readonly statuses: Pick<StatusStore, "get">;
  readonly crdHealth: Pick<CrdHealth, "state">;
  readonly pods: Pick<Mirroring, "consumers">;
  /** Whether the versions of what the class (`namespace/name`) names are followed; undefined: nobody knows yet. */
  readonly isFollowed: (classKey: string) => boolean | undefined;
}

/** What events of vaults have to know of the worker's classes. */
export function pushedClasses(
  { settings, limits, readCloudFile }: Options,
  { classes, statuses, crdHealth, pods, isFollowed }: Live,
): PushedClasses {
  return {
    isReady: () => crdHealth.state.kind === "whole" && classes.hasSynced,
    classOf: (ref) => classes.get(ref),
    isFetched: (spc) =>
      isMirrored({ settings, consumers: pods.consumers }, spc) && (secretObjectsOf(spc).length > 0 || isFollowed(keyOf(spc)) !== false),
    isRefused: (classKey) => hasRefusal(statuses.get(refOfKey(classKey))),
    cloud: { cloudName: limits.cloudName, readCloudFile },
  };
}
