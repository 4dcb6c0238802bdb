import { randomBytes } from "node:crypto";
import type { InstallKey } from "../domain/install-key.ts";
import { RESOURCES, type Secret } from "../domain/kubernetes.ts";
import { objectKey } from "../domain/object-key.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { FIELD_MANAGER } from "./field-manager.ts";
import { isRefusal } from "./refusals.ts";

export const HMAC_KEY_SECRET = "keyvault-injector-sync-key";
const ENTRY = "hmac.key";
/**
 * Entry with the time (RFC 3339) since which records are signed in the format of this version. The first leader of this version writes it
 * once.
 */
const SIGNED_SINCE = "signed-since";
const KEY_BYTES = 32;

/** Time in milliseconds between two checks for a key that does not exist yet. */
const KEY_RETRY_MS = 1_000;

/** Time in milliseconds between two checks of the Secret of a key that is in use. */
const KEPT_MS = 60_000;

export interface HmacKeyOptions {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface KeptKey extends HmacKeyOptions {
  readonly key: InstallKey;
  /** Whether this shard creates the key. */
  readonly isFirst: boolean;
}

/**
 * Returns the install's own key for content fingerprints, and creates it if necessary. A user can guess a secret value from its unsalted
 * hash. A hash with this key shows nothing to users who can read only metadata. The loss of the key costs one fetch of every class.
 */
export async function loadHmacKey(options: HmacKeyOptions, signal: AbortSignal): Promise<InstallKey> {
  const { kube, namespace, logger } = options;
  const ref = { namespace, name: HMAC_KEY_SECRET };
  const found = await kube.read<Secret>(RESOURCES.secrets, ref, signal);
  if (found.kind !== "found") return write(options, undefined, signal);
  const existing = installKeyIn(found.object);
  if (existing === undefined) {
    logger.warn("the fingerprint key was unusable and has been replaced; every class is fetched once", {
      secret: `${namespace}/${HMAC_KEY_SECRET}`,
      entry: ENTRY,
    });
  }
  return existing !== undefined && Number.isFinite(existing.formerUntil) ? existing : write(options, found.object, signal);
}

/**
 * Waits for the key that the first shard creates, and returns it. If two shards created a key at the same time, each would continue with
 * its own.
 */
export async function awaitHmacKey(options: HmacKeyOptions, signal: AbortSignal): Promise<InstallKey> {
  const { clock, logger, namespace } = options;
  for (let attempts = 0; ; attempts += 1) {
    const key = await readHmacKey(options, signal);
    if (key !== undefined && Number.isFinite(key.formerUntil)) return key;
    if (attempts === 0)
      logger.info("waiting for the fingerprint key, which the first shard creates", { secret: `${namespace}/${HMAC_KEY_SECRET}` });
    await clock.sleep(KEY_RETRY_MS, signal);
  }
}

/**
 * Checks the Secret once a minute until the signal aborts, as long as this process uses `key`. Without the Secret, a leader of another
 * shard would wait forever, and a deleted Lease would look like the Lease of an install that no worker has led. The first shard restores a
 * missing key. Rejects if the Secret contains another key: two processes with different keys do not trust each other's records.
 */
export async function keepHmacKey(options: KeptKey, signal: AbortSignal): Promise<void> {
  const { key, isFirst, kube, namespace, logger, clock } = options;
  const ref = { namespace, name: HMAC_KEY_SECRET };
  const secret = objectKey(ref);
  for (;;) {
    await clock.sleep(KEPT_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const found = await kube.read<Secret>(RESOURCES.secrets, ref, signal);
      const stored = found.kind === "found" ? installKeyIn(found.object) : undefined;
      if (stored !== undefined && !Buffer.from(stored.bytes).equals(key.bytes)) throw new KeyReplaced(secret);
      if (!isFirst || stored?.formerUntil === key.formerUntil) continue;
      await store(options, found.kind === "found" ? found.object : undefined, { key, signal });
      logger.warn("the fingerprint key was missing or damaged and has been restored", { secret });
    } catch (error) {
      if (signal.aborted) return;
      if (!isRefusal(error)) throw error;
      logger.warn("the fingerprint key could not be checked or restored", { secret, error });
    }
  }
}

/** Thrown if the process has to start again, with the stored key. */
class KeyReplaced extends Error {
  override readonly name = "KeyReplaced";

  constructor(secret: string) {
    super(`Secret ${secret} contains another key than the one that this process uses`);
  }
}

/** Whether a worker of this install has ever led. Each leader first makes sure that there is a key. */
export async function hasHmacKey(kube: Pick<KubeClient, "read">, namespace: string, signal: AbortSignal): Promise<boolean> {
  return (await kube.read(RESOURCES.secrets, { namespace, name: HMAC_KEY_SECRET }, signal)).kind === "found";
}

/** Stores a new key if there is none, together with the time since which records are signed in the format of this version. */
async function write(options: HmacKeyOptions, stored: Secret | undefined, signal: AbortSignal): Promise<InstallKey> {
  const bytes = (stored === undefined ? undefined : installKeyIn(stored)?.bytes) ?? randomBytes(KEY_BYTES);
  try {
    const written = await store(options, stored, { key: { bytes, formerUntil: options.clock.now() }, signal });
    return installKeyIn(written) ?? loadHmacKey(options, signal);
  } catch (error) {
    // Another replica was faster, so its key counts.
    if (error instanceof KubeError && error.code === "Conflict") return loadHmacKey(options, signal);
    throw error;
  }
}

/** Writes the key over the stored Secret, if there is one. */
async function store(
  { kube, namespace }: HmacKeyOptions,
  stored: Secret | undefined,
  { key, signal }: { readonly key: InstallKey; readonly signal: AbortSignal },
): Promise<Secret> {
  const precondition = stored === undefined ? {} : { resourceVersion: stored.metadata.resourceVersion ?? "" };
  const data = {
    [ENTRY]: Buffer.from(key.bytes).toString("base64"),
    [SIGNED_SINCE]: Buffer.from(new Date(key.formerUntil).toISOString()).toString("base64"),
  };
  const metadata = { namespace, name: HMAC_KEY_SECRET, ...precondition };
  const body: Secret = { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data };
  return kube.apply<Secret>(RESOURCES.secrets, body, { fieldManager: FIELD_MANAGER, force: stored !== undefined }, signal);
}

/** Returns the stored key; undefined if there is none. */
export async function readHmacKey(
  { kube, namespace }: Pick<HmacKeyOptions, "kube" | "namespace">,
  signal: AbortSignal,
): Promise<InstallKey | undefined> {
  const found = await kube.read<Secret>(RESOURCES.secrets, { namespace, name: HMAC_KEY_SECRET }, signal);
  return found.kind === "found" ? installKeyIn(found.object) : undefined;
}

/** Returns the key in the Secret; undefined if the Secret contains no key of the right length. */
export function installKeyIn(secret: Secret): InstallKey | undefined {
  const bytes = Buffer.from(secret.data?.[ENTRY] ?? "", "base64");
  if (bytes.byteLength !== KEY_BYTES) return undefined;
  const since = Date.parse(Buffer.from(secret.data?.[SIGNED_SINCE] ?? "", "base64").toString());
  return { bytes, formerUntil: Number.isNaN(since) ? Number.POSITIVE_INFINITY : since };
}
