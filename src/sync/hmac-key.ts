import { randomBytes } from "node:crypto";
import type { InstallKey } from "../domain/install-key.ts";
import { RESOURCES, type Secret } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { FIELD_MANAGER } from "./field-manager.ts";

export const HMAC_KEY_SECRET = "keyvault-injector-sync-key";
const ENTRY = "hmac.key";
/** RFC 3339: since when records are signed as this version does. Written once, by the first worker of this version that leads. */
const SIGNED_SINCE = "signed-since";
const KEY_BYTES = 32;

/** Milliseconds. */
const KEY_RETRY_MS = 1_000;

export interface HmacKeyOptions {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * The install's own key for content fingerprints. An unsalted hash of a secret value can be guessed; one made with this
 * key tells nothing to those who may read metadata only. A lost key costs one fetch of every class.
 */
export async function loadHmacKey(options: HmacKeyOptions, signal: AbortSignal): Promise<InstallKey> {
  const { kube, namespace, logger } = options;
  const ref = { namespace, name: HMAC_KEY_SECRET };
  const found = await kube.read<Secret>(RESOURCES.secrets, ref, signal);
  if (found.kind !== "found") return write(options, undefined, signal);
  const existing = keyIn(found.object);
  if (existing === undefined) {
    logger.warn("the fingerprint key was unusable and is replaced; every class is fetched once", {
      secret: `${namespace}/${HMAC_KEY_SECRET}`,
      entry: ENTRY,
    });
  }
  return existing !== undefined && Number.isFinite(existing.formerUntil) ? existing : write(options, found.object, signal);
}

/** The key that the first shard makes, once it is there: two that made one at a time would each go on with its own. */
export async function awaitHmacKey(options: HmacKeyOptions, signal: AbortSignal): Promise<InstallKey> {
  const { clock, logger, namespace } = options;
  for (let looks = 0; ; looks += 1) {
    const key = await readHmacKey(options, signal);
    if (key !== undefined && Number.isFinite(key.formerUntil)) return key;
    if (looks === 0)
      logger.info("waiting for the fingerprint key, which the first shard makes", { secret: `${namespace}/${HMAC_KEY_SECRET}` });
    await clock.sleep(KEY_RETRY_MS, signal);
  }
}

/** Whether a worker of this install has ever led: the first thing that a leader does is to have a key. */
export async function hasHmacKey(kube: Pick<KubeClient, "read">, namespace: string, signal: AbortSignal): Promise<boolean> {
  return (await kube.read(RESOURCES.secrets, { namespace, name: HMAC_KEY_SECRET }, signal)).kind === "found";
}

/** A new key where there is none, with the moment from which on records are signed as this version does. */
async function write(options: HmacKeyOptions, stored: Secret | undefined, signal: AbortSignal): Promise<InstallKey> {
  const { kube, namespace, clock } = options;
  const ref = { namespace, name: HMAC_KEY_SECRET };
  const precondition = stored === undefined ? {} : { resourceVersion: stored.metadata.resourceVersion ?? "" };
  const key = (stored === undefined ? undefined : keyIn(stored)?.bytes) ?? randomBytes(KEY_BYTES);
  const data = {
    [ENTRY]: Buffer.from(key).toString("base64"),
    [SIGNED_SINCE]: Buffer.from(new Date(clock.now()).toISOString()).toString("base64"),
  };
  try {
    const written = await kube.apply<Secret>(
      RESOURCES.secrets,
      { apiVersion: "v1", kind: "Secret", metadata: { ...ref, ...precondition }, type: "Opaque", data },
      { fieldManager: FIELD_MANAGER, force: stored !== undefined },
      signal,
    );
    return keyIn(written) ?? loadHmacKey(options, signal);
  } catch (error) {
    // Another replica was faster: its key is the key.
    if (error instanceof KubeError && error.code === "Conflict") return loadHmacKey(options, signal);
    throw error;
  }
}

/** The key as it is; undefined where there is none. */
export async function readHmacKey(
  { kube, namespace }: Pick<HmacKeyOptions, "kube" | "namespace">,
  signal: AbortSignal,
): Promise<InstallKey | undefined> {
  const found = await kube.read<Secret>(RESOURCES.secrets, { namespace, name: HMAC_KEY_SECRET }, signal);
  return found.kind === "found" ? keyIn(found.object) : undefined;
}

/** What the Secret holds; undefined where that is no key. */
export function keyIn(secret: Secret): InstallKey | undefined {
  const bytes = Buffer.from(secret.data?.[ENTRY] ?? "", "base64");
  if (bytes.byteLength !== KEY_BYTES) return undefined;
  const since = Date.parse(Buffer.from(secret.data?.[SIGNED_SINCE] ?? "", "base64").toString());
  return { bytes, formerUntil: Number.isNaN(since) ? Number.POSITIVE_INFINITY : since };
}
