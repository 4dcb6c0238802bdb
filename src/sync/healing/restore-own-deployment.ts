import { SNAPSHOT_LABEL } from "../../domain/annotations.ts";
import { type Component, componentsOf, isOwnDeployment } from "../../domain/healing/components.ts";
import { deletionVerdict, SETTLING_MS } from "../../domain/healing/deletion.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { findByName } from "../find-by-name.ts";
import { createFingerprints } from "../fingerprints.ts";
import { readHmacKey } from "../hmac-key.ts";
import { applyCopy } from "./apply-copy.ts";
import { COMPONENT_COPY_LABEL, copyRecords } from "./component-copies.ts";
import { areRightsWhole, type InstallPlace, isAlive, readInstall } from "./install-state.ts";
import { newestOf } from "./record-index.ts";
import { type ControllerRevision, verifiedRecord } from "./stored-record.ts";

interface OwnDeploymentOptions extends InstallPlace {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Time limit in milliseconds. The pod has 30 s after the signal to stop, and the hand-over of the lease takes part of this time. */
const LONGEST_MS = 18_000;

/**
 * Restores the worker's own Deployment as the last step of a worker that stops. A user who deletes the Deployment also deletes its pods, so
 * that no worker would be left to undo the deletion. A pod that stops because its Deployment is gone therefore restores it, unless
 * something indicates an uninstall. A pod that stops for any other reason finds its Deployment and ends at once.
 */
export async function restoreOwnDeployment(options: OwnDeploymentOptions, stop: AbortSignal): Promise<void> {
  const { kube, namespace, clock, logger } = options;
  const component = componentsOf(namespace).find(isOwnDeployment);
  if (component === undefined) return;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(LONGEST_MS)]);
  try {
    const live = await findByName(kube, component, signal);
    if (live !== undefined && !isAlive(live)) {
      logger.warn("the worker's own Deployment is being deleted in the foreground, which nothing can undo; apply the manifests again", {
        component: component.id,
      });
    }
    if (live !== undefined) return;
    logger.warn("the worker's own Deployment is gone; applying it again, unless this is an uninstall", { afterMs: SETTLING_MS });
    await clock.sleep(SETTLING_MS, signal);
    await restore(options, component, signal);
  } catch (error) {
    logger.warn("the check of the worker's own Deployment was not completed", { error });
  }
}

async function restore(options: OwnDeploymentOptions, component: Component, signal: AbortSignal): Promise<void> {
  const { kube, logger } = options;
  const { isNamespaceAlive, ownDeployment, isPrepared } = await readInstall(options, signal);
  if (ownDeployment !== undefined) return;
  const verdict = deletionVerdict({
    isOwnDeployment: true,
    absentFor: SETTLING_MS,
    isNamespaceAlive,
    isOwnDeploymentAlive: false,
    isPrepared,
    areRightsWhole: await areRightsWhole(options, signal),
  });
  if (verdict.kind !== "restore") {
    logger.info("the worker's own Deployment stays deleted", { why: verdict.kind === "uninstalling" ? verdict.sign : "" });
    return;
  }
  const copy = await readCopy(options, component, signal);
  if (copy === undefined) {
    logger.warn("the worker's own Deployment is gone, and there is no copy of it", { component: component.id });
    return;
  }
  if (await applyCopy(kube, { component, copy, live: undefined }, signal))
    logger.warn("a component was healed", { component: component.id, damage: "deleted" });
}

/** Reads the copy without a watch, because there is no time for one. */
async function readCopy({ kube, namespace, logger }: OwnDeploymentOptions, component: Component, signal: AbortSignal) {
  const key = await readHmacKey({ kube, namespace }, signal);
  if (key === undefined) return undefined;
  const kind = copyRecords(namespace);
  const fingerprints = createFingerprints(key.bytes, key.formerUntil);
  const selection = { namespace, labelSelector: `${SNAPSHOT_LABEL}=${COMPONENT_COPY_LABEL}` };
  const all = await kube.list<ControllerRevision>(RESOURCES.controllerRevisions, selection, signal);
  const ours = all.flatMap((revision) => verifiedRecord(revision, { kind, fingerprints, logger }) ?? []);
  return newestOf(ours.filter((record) => record.key === component.id))?.data;
}
