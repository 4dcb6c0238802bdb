import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { adoptedNames } from "../../domain/sync/take-over.ts";
import type { WorkerContext } from "../worker-context.ts";
import { writeBlindly } from "./write-blindly.ts";
import { type WriteInput, type WriteResult, writeSecret } from "./write-secret.ts";

/** Writes one Secret of a class as the access that the operator grants allows, on the terms that the class and the operator set. */
export function writeForClass(
  context: WorkerContext,
  provider: SecretProviderClass,
  input: Omit<WriteInput, "terms">,
  signal: AbortSignal,
): Promise<WriteResult> {
  const { blind, settings, driverSync, claims } = context;
  const terms = {
    adopts: adoptedNames(provider),
    driverSync: driverSync?.allowedBy,
    adoptsDriverSecrets: settings.adoptsDriverSecrets,
    oldestClass: claims.of(input.namespace, input.secret.name)[0]?.metadata.name,
  };
  if (blind === undefined) return writeSecret(context, { ...input, terms }, signal);
  return writeBlindly({ ...context, blind }, { ...input, terms }, signal);
}
