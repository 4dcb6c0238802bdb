import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { isAppRoutings } from "../gateways/made-for.ts";
import type { HeldClass } from "../provider-class/held-class.ts";
import { type SyncMode, statedSyncMode, syncMode } from "../schedule/class-annotations.ts";

/** Settings of the worker that turn off sync. */
export interface SyncSwitches {
  /** `--sync-secret` */
  readonly syncSecret: boolean;
  /** `--sync-mode` */
  readonly syncMode: SyncMode;
}

/** Returns what turned off sync for the class itself, whatever the settings are; undefined if nothing did. */
export function switchedOffByClass(spc: HeldClass): string | undefined {
  const stated = statedSyncMode(spc);
  if (stated === "never") return `the annotation ${CLASS_ANNOTATIONS.sync}: never`;
  // App Routing has the CSI driver write the Secret of each class that it creates. The identity of such a class is for the driver, and the
  // operator applies its own fields again, so the author of the class can only annotate it.
  return stated === undefined && isAppRoutings(spc) ? "its creator, the AKS add-on App Routing" : undefined;
}

/** Returns what turned off sync for the class: the class itself, or a setting of the operator; undefined if sync is on. */
export function switchedOffBy(spc: HeldClass, settings: SyncSwitches): string | undefined {
  if (!settings.syncSecret) return "the worker's setting --sync-secret=false";
  const byClass = switchedOffByClass(spc);
  if (byClass !== undefined) return byClass;
  return syncMode(spc, settings.syncMode) === "never" ? "the worker's setting --sync-mode=never" : undefined;
}
