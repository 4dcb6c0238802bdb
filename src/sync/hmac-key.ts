import { randomBytes } from "node:crypto";
import { RESOURCES, type Secret } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { FIELD_MANAGER } from "./field-manager.ts";

export const HMAC_KEY_SECRET = "keyvault-injector-sync-key";
const ENTRY = "hmac.key";
const KEY_BYTES = 32;

export interface HmacKeyOptions {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly logger: Logger;
}

/**
 * The install's own key for content fingerprints. An unsalted hash of a secret value can be guessed; one made with this
 * key tells nothing to those who may read metadata only. A lost key costs one fetch of every class.
 */
export async function loadHmacKey(options: HmacKeyOptions, signal: AbortSignal): Promise<Uint8Array> {
  const { kube, namespace, logger } = options;
  const ref = { namespace, name: HMAC_KEY_SECRET };
  const found = await kube.read<Secret>(RESOURCES.secrets, ref, signal);
  const existing = found.kind === "found" ? keyIn(found.object) : undefined;
  if (existing !== undefined) return existing;
  if (found.kind === "found") {
    logger.warn("the fingerprint key was unusable and is replaced; every class is fetched once", {
      secret: `${namespace}/${HMAC_KEY_SECRET}`,
      entry: ENTRY,
    });
  }
  const precondition = found.kind === "found" ? { resourceVersion: found.object.metadata.resourceVersion ?? "" } : {};
  try {
    const written = await kube.apply<Secret>(
      RESOURCES.secrets,
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { ...ref, ...precondition },
        type: "Opaque",
        data: { [ENTRY]: randomBytes(KEY_BYTES).toString("base64") },
      },
      { fieldManager: FIELD_MANAGER, force: found.kind === "found" },
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
): Promise<Uint8Array | undefined> {
  const found = await kube.read<Secret>(RESOURCES.secrets, { namespace, name: HMAC_KEY_SECRET }, signal);
  return found.kind === "found" ? keyIn(found.object) : undefined;
}

/** What the Secret holds; undefined where that is no key. */
export function keyIn(secret: Secret): Uint8Array | undefined {
  const key = Buffer.from(secret.data?.[ENTRY] ?? "", "base64");
  return key.byteLength === KEY_BYTES ? key : undefined;
}
