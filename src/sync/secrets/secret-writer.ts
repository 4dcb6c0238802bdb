import type { Counter } from "prom-client";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import type { BlindSecrets } from "./blind-secrets.ts";
import { deleteBlindly, writeBlindly } from "./write-blindly.ts";
import { type SecretWriteOptions, type WriteInput, type WriteResult, writeSecret } from "./write-secret.ts";

/**
 * All changes to synced Secrets. The API server rejects a write to an existing Secret if someone else has written the Secret since the
 * worker last saw it. With `--secret-access=blind`, the admission policy decides instead.
 */
export interface SecretWriter {
  /** Makes the Secret match the vault. */
  write(input: WriteInput, signal: AbortSignal): Promise<WriteResult>;
  delete(secret: ObservedSecret, signal: AbortSignal): Promise<void>;
  /**
   * Gives the unchanged Secret to another class of the namespace. That class may not be able to write the Secret yet. The Secret names that
   * class from now on, so that the class keeps it, or removes it if the class does not want it either. A Secret that still names a class
   * that gave it up would belong to no class.
   */
  transfer(secret: ObservedSecret, className: string, signal: AbortSignal): Promise<void>;
  /** Removes the worker's label and annotations from a Secret that existed before its class. The content stays. */
  release(secret: ObservedSecret, signal: AbortSignal): Promise<void>;
}

export interface SecretWriterOptions extends SecretWriteOptions {
  /** Counts writes by action. */
  readonly writes: Counter<"action">;
  /** Set with `--secret-access=blind`. */
  readonly blind: BlindSecrets | undefined;
}

export function createSecretWriter(options: SecretWriterOptions): SecretWriter {
  const { kube, writes, blind } = options;
  const counted = async (action: string, write: Promise<unknown>): Promise<void> => {
    await write;
    writes.inc({ action });
  };
  const patch = (secret: ObservedSecret, metadata: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> => {
    const { ref, uid, resourceVersion } = secret;
    const written = { fieldManager: FIELD_MANAGER };
    return kube.mergePatch(RESOURCES.secrets, ref, { metadata: { uid, resourceVersion, ...metadata } }, written, signal);
  };
  return {
    write: async (input, signal) => {
      const result = await (blind === undefined ? writeSecret(options, input, signal) : writeBlindly({ ...options, blind }, input, signal));
      if (result.kind === "written") writes.inc({ action: result.action });
      return result;
    },
    // If blind, the worker deletes by name alone, and the admission policy decides whether the Secret is the worker's own.
    delete: ({ ref, uid, resourceVersion }, signal) => {
      const how =
        blind === undefined
          ? kube.delete(RESOURCES.secrets, ref, { uid, resourceVersion }, signal)
          : deleteBlindly({ ...options, blind }, ref, signal);
      return counted("delete", how);
    },
    transfer: async (secret, className, signal) => {
      const annotations = { [SECRET_ANNOTATIONS.class]: className };
      if (blind === undefined) await counted("leave", patch(secret, { annotations }, signal));
      else blind.remember({ ...secret, annotations: { ...secret.annotations, ...annotations } });
    },
    release: (secret, signal) => {
      const { class: ofClass, objects, content, adopted } = SECRET_ANNOTATIONS;
      const annotations = { [ofClass]: null, [objects]: null, [content]: null, [adopted]: null };
      return counted("release", patch(secret, { labels: { [MANAGED_LABEL]: null }, annotations }, signal));
    },
  };
}
