import { COPY_ANNOTATIONS, COPY_LABEL, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { type KubeObject, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { objectKey, refOf, refOfKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { PlannedCopy } from "../../domain/sync/copies/copies-plan.ts";
import { type CopySource, type CopyWrite, copyMetadata } from "../../domain/sync/copies/copy-plan.ts";
import type { CopyOutcome } from "../../domain/sync/copies/copy-status.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { isWrittenFor } from "../../domain/sync/secret-plan.ts";
import { ownEntry } from "../../domain/text-map.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { findByName } from "../find-by-name.ts";
import type { Fingerprints } from "../fingerprints.ts";
import { applyWithout, assertAcceptable, changingHands } from "../secrets/apply-secret.ts";
import { observeStoredSecret } from "../secrets/secret-store.ts";

export interface CopyWriting {
  readonly kube: KubeClient;
  readonly fingerprints: Fingerprints;
  readonly logger: Logger;
  /** Counts a write. */
  readonly written: (action: "create" | "apply" | "replace" | "delete") => void;
}

const WRITTEN = { fieldManager: FIELD_MANAGER };

/**
 * Reads the Secret of the class from the API server, with its values. Returns undefined if it is not the Secret for which the copies were
 * planned: someone edited it, or it has other content now, which the watch will show.
 */
export async function readSource(
  { kube, fingerprints }: CopyWriting,
  source: CopySource,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  const { ref, uid, type, annotations, isPartial } = source.secret;
  const live = await findByName<Secret>(kube, { resource: RESOURCES.secrets, ref }, signal);
  if (live === undefined) return undefined;
  const now = observeStoredSecret(live, fingerprints);
  const isSame =
    now.uid === uid &&
    (isPartial === true || now.type === type) &&
    now.isContentIntact &&
    isWrittenFor(now, refOfKey(source.classKey).name) &&
    now.annotations[SECRET_ANNOTATIONS.content] === annotations[SECRET_ANNOTATIONS.content];
  return isSame ? live : undefined;
}

export interface DueCopy extends PlannedCopy {
  readonly step: CopyWrite;
}

/** `live` is the source of the copy, as {@link readSource} returns it. */
export async function writeCopy(
  writing: CopyWriting,
  { source, namespace, step }: DueCopy,
  { live, observed }: { readonly live: Secret; readonly observed: ObservedSecret | undefined },
  signal: AbortSignal,
): Promise<CopyOutcome> {
  const { kube, logger, written } = writing;
  const body = copyBody(writing, source, { live, namespace, hasProof: observed?.lacksProof !== true });
  logger.info("writing a copy of a Secret", {
    secret: objectKey(body.metadata),
    class: source.classKey,
    action: step.kind,
    ...(step.kind === "create" ? {} : { why: step.why }),
  });
  switch (step.kind) {
    case "create":
      return create(writing, body, source, signal);
    case "apply":
      await applyWithout(kube, { ...body, metadata: { ...body.metadata, ...step.onto } }, step.removed, signal);
      written("apply");
      return "Synced";
    case "replace":
      await assertAcceptable(kube, body, signal);
      await kube.delete(RESOURCES.secrets, refOf(body), step.onto, signal);
      written("replace");
      return create(writing, body, source, signal);
    default:
      return assertNever(step);
  }
}

interface Destination {
  readonly live: Secret;
  readonly namespace: string;
  /** Whether the copy may get a proof. Overwriting a Secret that lacks a proof must not create one. */
  readonly hasProof: boolean;
}

/** Copies only the keys that the worker owns, not keys that others added to the source. */
function copyBody({ fingerprints }: CopyWriting, source: CopySource, { live, namespace, hasProof }: Destination): Secret {
  const place = { namespace, name: source.secret.ref.name };
  const keys = source.secret.owned.data;
  const data = Object.fromEntries(keys.map((key) => [key, ownEntry(live.data, key) ?? ""]));
  const fingerprint = fingerprints.ofEncoded(place, { data, keys });
  const { labels, annotations } = copyMetadata(source);
  const content = hasProof ? fingerprints.withProof(fingerprint, place) : fingerprint;
  return {
    apiVersion: RESOURCES.secrets.version,
    kind: RESOURCES.secrets.kind,
    metadata: { ...place, labels, annotations: { ...annotations, [SECRET_ANNOTATIONS.content]: content } },
    type: source.secret.type,
    data,
  };
}

async function create({ kube, written }: CopyWriting, body: Secret, { classKey }: CopySource, signal: AbortSignal): Promise<CopyOutcome> {
  try {
    await kube.create(RESOURCES.secrets, body, WRITTEN, signal);
    written("create");
    return "Synced";
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "AlreadyExists") throw error;
  }
  // The metadata shows whose Secret it is, so nothing else of someone else's Secret is read.
  const { namespace, name } = refOf(body);
  const asked = { namespace, fieldSelector: `metadata.name=${name}`, metadataOnly: true };
  const [found] = await kube.list<KubeObject>(RESOURCES.secrets, asked, signal);
  const { labels = {}, annotations = {} } = found?.metadata ?? {};
  const isOwn = labels[COPY_LABEL] === "true" && annotations[COPY_ANNOTATIONS.copiedFrom] === classKey;
  // The watch has not shown the worker's own write yet, or the Secret is gone again.
  if (found === undefined || isOwn) throw changingHands({ namespace, name });
  return "Conflict";
}
