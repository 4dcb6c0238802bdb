import { MANAGED_LABEL } from "../domain/annotations.ts";
import { assertNever } from "../domain/assert-never.ts";
import { type ObjectRef, RESOURCES, type Secret } from "../domain/kubernetes.ts";
import { type KubeClient, KubeError, type Logger } from "../domain/ports.ts";
import type { SyncReason } from "../domain/reasons.ts";
import type { DesiredSecret } from "../domain/secret-objects/desired-secret.ts";
import type { ObservedSecret, OwnedFields } from "../domain/sync/observed-secret.ts";
import { planSecret, type SecretAction } from "../domain/sync/secret-plan.ts";
import type { Fingerprints } from "./content-hmac.ts";
import { FIELD_MANAGER } from "./field-manager.ts";
import { type BodyInput, secretBody, wantedFrom } from "./secret-body.ts";
import { observe } from "./secret-store.ts";

export type WriteResult =
  | { readonly kind: "written"; readonly action: "create" | "apply" | "replace" }
  | { readonly kind: "kept" }
  | { readonly kind: "refused"; readonly reason: SyncReason; readonly message: string };

export interface WriteOptions {
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
  /** Whether a class of that name in the same namespace names this Secret too. */
  readonly isClaimedBy: (className: string) => boolean;
}

/** Brings one Secret to what the vault says, with the least write that does it. */
export async function writeSecret(options: WriteOptions, input: WriteInput, signal: AbortSignal): Promise<WriteResult> {
  const wanted = wantedFrom(input.secret, options.fingerprints);
  const body: BodyInput = { secret: input.secret, wanted, className: input.className, namespace: input.namespace };
  const action = planSecret(wanted, input);
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
      return { kind: "refused", reason: "Conflict", message: action.message };
    case "create":
      return createSecret(options, { input, body }, signal);
    case "apply":
      await applySecret(options, { ...body, uid: action.uid }, action.removed, signal);
      return { kind: "written", action: "apply" };
    case "replace":
      await assertAcceptable(options, body, signal);
      await options.kube.delete(RESOURCES.secrets, refOf(body), { uid: action.uid }, signal);
      return createSecret(options, { input, body }, signal);
    default:
      return assertNever(action);
  }
}

function whyOf(action: SecretAction): { readonly why?: string } {
  return action.kind === "apply" || action.kind === "replace" ? { why: action.why } : {};
}

/**
 * Nothing is deleted before the API server has said that it would take what replaces it. For a valid body under a taken
 * name that is `AlreadyExists`; an invalid one is refused as such.
 */
async function assertAcceptable({ kube }: WriteOptions, body: BodyInput, signal: AbortSignal): Promise<void> {
  try {
    await kube.create(RESOURCES.secrets, secretBody(body), { fieldManager: FIELD_MANAGER, dryRun: true }, signal);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "AlreadyExists") throw error;
  }
}

interface FirstWrite {
  readonly input: WriteInput;
  readonly body: BodyInput;
}

async function createSecret(options: WriteOptions, first: FirstWrite, signal: AbortSignal): Promise<WriteResult> {
  try {
    await options.kube.create(RESOURCES.secrets, secretBody(first.body), { fieldManager: FIELD_MANAGER }, signal);
    return { kind: "written", action: "create" };
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "AlreadyExists") throw error;
    return takenName(options, first, signal);
  }
}

/** The name is taken. It is ours only if the watch has not shown us our own write yet; anything else is left untouched. */
async function takenName(options: WriteOptions, { input, body }: FirstWrite, signal: AbortSignal): Promise<WriteResult> {
  const { namespace, secret, wanted } = body;
  const selector = { namespace, fieldSelector: `metadata.name=${secret.name}` };
  const [live] = await options.kube.list<Secret>(RESOURCES.secrets, selector, signal);
  if (live === undefined)
    throw new KubeError("Conflict", `Secret ${namespace}/${secret.name} changes hands at the moment`, { retry: { kind: "backoff" } });
  const observed = observe(live, options.fingerprints);
  if (observed.labels[MANAGED_LABEL] !== "true") {
    const owner = live.metadata.managedFields?.find((entry) => entry.manager !== undefined)?.manager;
    const by = owner === undefined ? "" : ` (written by ${owner})`;
    return {
      kind: "refused",
      reason: "Conflict",
      message: `Secret ${secret.name} exists and is not ours${by}; it is left as it is. Delete it, or choose another secretName`,
    };
  }
  const action = planSecret(wanted, { ...input, observed });
  if (action.kind === "keep") return { kind: "kept" };
  if (action.kind === "conflict") return { kind: "refused", reason: "Conflict", message: action.message };
  throw new KubeError("Conflict", `Secret ${namespace}/${secret.name} is newer than the watch`, { retry: { kind: "backoff" } });
}

async function applySecret(options: WriteOptions, body: BodyInput, removed: OwnedFields, signal: AbortSignal): Promise<void> {
  const { kube } = options;
  const applied = await kube.apply<Secret>(RESOURCES.secrets, secretBody(body), { fieldManager: FIELD_MANAGER, force: true }, signal);
  const patch = removal(removed, applied);
  if (patch !== undefined) await kube.mergePatch(RESOURCES.secrets, refOf(body), patch, { fieldManager: FIELD_MANAGER }, signal);
}

/** What the apply left of the entries that the create had written. */
function removal(removed: OwnedFields, live: Secret): unknown {
  const nulls = (keys: readonly string[], present: Readonly<Record<string, string>> | undefined): Readonly<Record<string, null>> =>
    Object.fromEntries(keys.filter((key) => present?.[key] !== undefined).map((key) => [key, null]));
  const data = nulls(removed.data, live.data);
  const labels = nulls(removed.labels, live.metadata.labels);
  const annotations = nulls(removed.annotations, live.metadata.annotations);
  if (Object.keys({ ...data, ...labels, ...annotations }).length === 0) return undefined;
  const { uid, resourceVersion } = live.metadata;
  return { metadata: { uid, resourceVersion, labels, annotations }, data };
}

function refOf({ namespace, secret }: BodyInput): ObjectRef {
  return { namespace, name: secret.name };
}
