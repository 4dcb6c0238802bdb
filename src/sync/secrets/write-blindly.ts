import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { currentOwner } from "../../domain/sync/secret-plan.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { assertAcceptable, changingHands } from "./apply-secret.ts";
import type { BlindSecrets } from "./blind-secrets.ts";
import { type BodyInput, secretBody, wantedFrom } from "./secret-body.ts";
import { observeStoredSecret } from "./secret-store.ts";
import { conflict, replacement, type SecretWriteOptions, type WriteInput, type WriteResult } from "./write-secret.ts";

export interface BlindWriteOptions extends SecretWriteOptions {
  readonly blind: BlindSecrets;
}

const POLICY = "keyvault-injector-sync-secrets";
const WRITTEN = { fieldManager: FIELD_MANAGER };

/**
 * Writes one whole Secret without a read: a create, or a PUT if the name is taken. The admission policy sees the existing Secret and
 * decides whether it is the worker's own. The API server stores nothing for a PUT that changes nothing.
 */
export async function writeBlindly(options: BlindWriteOptions, input: WriteInput, signal: AbortSignal): Promise<WriteResult> {
  const { className, namespace, secret } = input;
  const known = options.blind.get({ namespace, name: secret.name });
  const owner = currentOwner({ ...input, observed: known });
  if (owner !== undefined && owner !== className)
    return conflict(`Secret ${secret.name} is written by the class ${owner}; give one of the two classes another secretName`);
  const body: BodyInput = {
    secret,
    wanted: wantedFrom(secret, options.fingerprints, { namespace, observed: known }),
    className,
    namespace,
  };
  if (known === undefined) return (await created(options, body, signal)) ?? (await replaced(options, { input, body }, signal));
  return replaced(options, { input, body }, signal);
}

/** Returns undefined if the name is taken. */
async function created(options: BlindWriteOptions, body: BodyInput, signal: AbortSignal): Promise<WriteResult | undefined> {
  try {
    remember(options, await options.kube.create<Secret>(RESOURCES.secrets, secretBody(body), WRITTEN, signal));
    return { kind: "written", action: "create" };
  } catch (error) {
    if (isRefusal(error, "AlreadyExists")) return undefined;
    throw error;
  }
}

interface BlindWrite {
  readonly input: WriteInput;
  readonly body: BodyInput;
}

async function replaced(options: BlindWriteOptions, write: BlindWrite, signal: AbortSignal): Promise<WriteResult> {
  const { namespace, secret, wanted } = write.body;
  const ref = { namespace, name: secret.name };
  const before = options.blind.get(ref);
  try {
    const answer = await options.kube.replace<Secret>(RESOURCES.secrets, secretBody(write.body), WRITTEN, signal);
    const after = remember(options, answer);
    // After a start, the answer does not tell whether the first PUT changed the Secret, so the worker neither counts nor logs a change. A
    // Secret has no generation, and there is no earlier resourceVersion. The worker's time in `managedFields` has whole seconds of another
    // clock, may be that of the leader before, and stays the same if a PUT only removes what someone else added.
    if (before === undefined || before.resourceVersion === after.resourceVersion) return { kind: "kept" };
    if (before.annotations[SECRET_ANNOTATIONS.content] === wanted.fingerprint)
      options.logger.info("a Secret was changed by someone else, and the worker restored it", { secret: `${namespace}/${secret.name}` });
    return { kind: "written", action: "apply" };
  } catch (error) {
    if (isForeign(error)) return foreign(options, write);
    options.blind.forget(ref);
    if (isRefusal(error, "NotFound")) {
      const made = await created(options, write.body, signal);
      if (made !== undefined) return made;
      throw error;
    }
    // The type of a Secret and the content of an immutable Secret cannot change, so delete and recreate the Secret.
    if (isRefusal(error, "Invalid")) return madeAnew(options, write, signal);
    throw error;
  }
}

async function madeAnew(options: BlindWriteOptions, write: BlindWrite, signal: AbortSignal): Promise<WriteResult> {
  const { namespace, secret } = write.body;
  await assertAcceptable(options.kube, secretBody(write.body), signal);
  try {
    await options.kube.delete(RESOURCES.secrets, { namespace, name: secret.name }, {}, signal);
  } catch (error) {
    if (isForeign(error)) return foreign(options, write);
    throw error;
  }
  const create = async (): Promise<WriteResult> => {
    const made = await created(options, write.body, signal);
    if (made === undefined) throw changingHands({ namespace, name: secret.name });
    return made;
  };
  return replacement(create, "its type, or an immutable one's content, cannot be changed");
}

/** Deletes the Secret by name alone. The admission policy rejects the deletion if the Secret is not the worker's own. */
export async function deleteBlindly(
  { kube, blind, logger }: Pick<BlindWriteOptions, "kube" | "blind" | "logger">,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<void> {
  const known = blind.get(ref);
  blind.forget(ref);
  try {
    await kube.delete(RESOURCES.secrets, ref, {}, signal);
  } catch (error) {
    // The Secret is the worker's own, but has a finalizer. The policy rejects the deletion until the finalizer is gone, because the API
    // server would answer with the content.
    if (known !== undefined && isRefusal(error, "Invalid")) blind.remember(known);
    if (!isForeign(error)) throw error;
    logger.info("a Secret was not removed, because the worker does not own it", { secret: objectKey(ref) });
  }
}

function foreign({ blind }: BlindWriteOptions, { input, body }: BlindWrite): WriteResult {
  const { secret, namespace } = body;
  blind.forget({ namespace, name: secret.name });
  const adopting = input.terms.adopts.includes(secret.name)
    ? `; with --secret-access=blind, the worker adopts no Secrets, so ${CLASS_ANNOTATIONS.adopt} has no effect`
    : "";
  return conflict(
    `Secret ${secret.name} exists but is not managed by the worker, so the worker leaves it unchanged. Delete the Secret, or choose another secretName${adopting}`,
  );
}

function remember({ blind, fingerprints }: BlindWriteOptions, answer: Secret) {
  const observed = observeStoredSecret(answer, fingerprints);
  blind.remember(observed);
  return observed;
}

function isRefusal(error: unknown, code: KubeError["code"]): boolean {
  return error instanceof KubeError && error.code === code;
}

/**
 * Whether the admission policy saw the existing Secret and found that it is not the worker's own. A missing permission is a different
 * error.
 */
function isForeign(error: unknown): boolean {
  return error instanceof KubeError && error.isByPolicy(POLICY);
}
