import type { Counter } from "prom-client";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import type { BlindSecrets } from "./blind-secrets.ts";
import { deleteBlindly, writeBlindly } from "./write-blindly.ts";
import { type SecretWriteOptions, type WriteInput, type WriteResult, writeSecret } from "./write-secret.ts";

/** Every way in which a mirrored Secret is changed. Each write onto one that is there is refused where somebody has written it since. */
export interface SecretWriter {
  /** Brings it to what the vault says. */
  write(input: WriteInput, signal: AbortSignal): Promise<WriteResult>;
  delete(secret: ObservedSecret, signal: AbortSignal): Promise<void>;
  /**
   * Gives it as it is to another class of the namespace. That class may not be able to write it yet; it is named in the Secret from now on, so
   * that it keeps it, and removes it when it does not want it either: a Secret that names a class which let go of it would be nobody's.
   */
  transfer(secret: ObservedSecret, className: string, signal: AbortSignal): Promise<void>;
  /** Takes our label and annotations off a Secret that was there before its class. Its content stays. */
  release(secret: ObservedSecret, signal: AbortSignal): Promise<void>;
}

export interface SecretWriterOptions extends SecretWriteOptions {
  /** Counts writes by action. */
  readonly writes: Counter<"action">;
  /** Given with `--secret-access=blind`. */
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
    // Blind, by name and by the worker's own word: the policy says what is ours.
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
