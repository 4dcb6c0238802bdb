import { MANAGED_LABEL } from "../../domain/annotations.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import type { DesiredSecret } from "../../domain/secret-objects/desired-secret.ts";
import type { ObservedSecret, OwnedFields } from "../../domain/sync/observed-secret.ts";
import { ontoOf, planSecret, type SecretAction } from "../../domain/sync/secret-plan.ts";
import { isAdopted } from "../../domain/sync/take-over.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { findByName } from "../find-by-name.ts";
import type { Fingerprints } from "../fingerprints.ts";
import { applyWithout, assertAcceptable, changingHands } from "./apply-secret.ts";
import { type BodyInput, secretBody, wantedFrom } from "./secret-body.ts";
import { observeStoredSecret } from "./secret-store.ts";
import { keepingAdoption, ownershipRefusal, type TakeOverTerms, takeOverVerdict } from "./take-over-secret.ts";
import { wholeSecret } from "./whole-secret.ts";

export type WriteResult =
  | { readonly kind: "written"; readonly action: "create" | "apply" | "adopt" }
  | { readonly kind: "written"; readonly action: "replace"; readonly why: string }
  | { readonly kind: "kept" }
  /** The worker deleted the Secret to recreate it, but the create failed. */
  | { readonly kind: "deleted"; readonly why: string; readonly error: KubeError }
  | { readonly kind: "refused"; readonly reason: SyncReason; readonly message: string };

export interface SecretWriteOptions {
  readonly kube: KubeClient;
  readonly fingerprints: Fingerprints;
  readonly logger: Logger;
}

export interface WriteInput {
  readonly secret: DesiredSecret;
  readonly className: string;
  readonly namespace: string;
  /** As the watch last saw it. */
  readonly observed: ObservedSecret | undefined;
  /** Whether the class of this name in the same namespace also names this Secret. */
  readonly isClaimedBy: (className: string) => boolean;
  /** Older class that also names this Secret. It takes precedence if no class has the Secret yet. */
  readonly preferredOwner?: string | undefined;
  readonly terms: TakeOverTerms;
}

/** Makes one Secret match the vault with the smallest possible write. */
export async function writeSecret(options: SecretWriteOptions, given: WriteInput, signal: AbortSignal): Promise<WriteResult> {
  const observed = await wholeSecret(options, given.observed, MANAGED_LABEL, signal);
  const input = { ...given, observed, secret: keepingAdoption(given.secret, observed !== undefined && isAdopted(observed)) };
  const wanted = wantedFrom(input.secret, options.fingerprints, input);
  const body: BodyInput = { secret: input.secret, wanted, className: input.className, namespace: input.namespace };
  const action = planSecret(wanted, input);
  const refusal = ownershipRefusal(input, action);
  if (refusal !== undefined) return conflict(refusal);
  if (action.kind !== "keep" && action.kind !== "conflict") {
    options.logger.info("writing a Secret", {
      secret: `${input.namespace}/${wanted.name}`,
      class: input.className,
      action: action.kind,
      ...whyOf(action),
    });
  }
  switch (action.kind) {
    case "keep":
      return { kind: "kept" };
    case "conflict":
      return conflict(action.message);
    case "create":
      return createSecret(options, { input, body }, signal);
    case "apply":
      await applySecret(options, { ...body, onto: action.onto }, action.removed, signal);
      return { kind: "written", action: "apply" };
    case "replace":
      await assertAcceptable(options.kube, secretBody(body), signal);
      await options.kube.delete(RESOURCES.secrets, refOf(body), action.onto, signal);
      return replacement(() => createSecret(options, { input, body }, signal), action.why);
    default:
      return assertNever(action);
  }
}

/** Returns the result of the create that follows the worker's own deletion of the Secret. */
export async function replacement(create: () => Promise<WriteResult>, why: string): Promise<WriteResult> {
  try {
    const result = await create();
    return result.kind === "written" ? { kind: "written", action: "replace", why } : result;
  } catch (error) {
    if (error instanceof KubeError) return { kind: "deleted", why, error };
    throw error;
  }
}

/** Returns the result for a Secret that belongs to someone else in whole or in part. */
export function conflict(message: string): WriteResult {
  return { kind: "refused", reason: "Conflict", message };
}

function whyOf(action: SecretAction): { readonly why?: string } {
  return action.kind === "apply" || action.kind === "replace" ? { why: action.why } : {};
}

interface FirstWrite {
  readonly input: WriteInput;
  readonly body: BodyInput;
}

async function createSecret(options: SecretWriteOptions, first: FirstWrite, signal: AbortSignal): Promise<WriteResult> {
  try {
    await options.kube.create(RESOURCES.secrets, secretBody(first.body), { fieldManager: FIELD_MANAGER }, signal);
    return { kind: "written", action: "create" };
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "AlreadyExists") throw error;
    return takenName(options, first, signal);
  }
}

/**
 * Handles a create whose name is taken. The existing Secret is the worker's own if the watch has not shown the worker's own write yet. The
 * worker leaves any other Secret unchanged, unless it can take the Secret over.
 */
async function takenName(options: SecretWriteOptions, { input, body }: FirstWrite, signal: AbortSignal): Promise<WriteResult> {
  const { namespace, secret, wanted } = body;
  const live = await findByName<Secret>(options.kube, { resource: RESOURCES.secrets, ref: refOf(body) }, signal);
  if (live === undefined) throw changingHands(refOf(body));
  const observed = observeStoredSecret(live, options.fingerprints);
  if (observed.labels[MANAGED_LABEL] !== "true") return takeForeign(options, { input, body }, { live, observed }, signal);
  const action = planSecret(wanted, { ...input, observed });
  if (action.kind === "keep") return { kind: "kept" };
  if (action.kind === "conflict") return conflict(action.message);
  throw new KubeError("Conflict", `Secret ${namespace}/${secret.name} is newer than the watch`, { retry: { kind: "backoff" } });
}

interface Foreign {
  readonly live: Secret;
  readonly observed: ObservedSecret;
}

/**
 * Takes over the existing Secret if its owner has allowed this, or if the driver's sync has ended. Applies to the same object, with uid and
 * resourceVersion as preconditions.
 */
async function takeForeign(
  options: SecretWriteOptions,
  { input, body }: FirstWrite,
  { live, observed }: Foreign,
  signal: AbortSignal,
): Promise<WriteResult> {
  const { secret, className, namespace } = input;
  const verdict = takeOverVerdict(input, { live, observed });
  if (verdict.kind === "refused") return conflict(verdict.message);
  options.logger.info("taking over a Secret", { secret: `${namespace}/${secret.name}`, class: className, from: verdict.from });
  const taken = keepingAdoption(secret, verdict.from === "owner");
  const wanted = wantedFrom(taken, options.fingerprints, { namespace, observed: undefined });
  await applySecret(options, { ...body, secret: taken, wanted, onto: ontoOf(observed) }, NOTHING, signal);
  return { kind: "written", action: "adopt" };
}

const NOTHING: OwnedFields = { data: [], labels: [], annotations: [] };

function applySecret({ kube }: SecretWriteOptions, body: BodyInput, removed: OwnedFields, signal: AbortSignal): Promise<void> {
  return applyWithout(kube, secretBody(body), removed, signal);
}

function refOf({ namespace, secret }: BodyInput): ObjectRef {
  return { namespace, name: secret.name };
}
