import type { RenderOptions } from "../domain/content/render.ts";
import type { SecretObject, SecretProviderClass } from "../domain/kubernetes.ts";
import type { VaultClients } from "../domain/ports.ts";
import { trimSpace } from "../domain/provider-class/go-text.ts";
import { vaultRefusal } from "../domain/provider-class/operator-limits.ts";
import type { CloudOptions } from "../domain/provider-class/parameters.ts";
import { openProviderClass } from "../domain/provider-class/parse.ts";
import { type ClassProblem, describeProblem } from "../domain/provider-class/problem.ts";
import { buildSecrets } from "../domain/secret-objects/build.ts";
import type { SecretOutcome } from "../domain/secret-objects/desired-secret.ts";
import { failureOfFile, fetchObjects, type ObjectFailure } from "./fetch-objects.ts";
import { findIdentity, type IdentityOptions, type IdentityRefusal } from "./find-identity.ts";
import type { Mirror, MirroredSecret } from "./mirror.ts";

export interface VaultMirrorOptions extends IdentityOptions, CloudOptions {
  readonly vaults: VaultClients;
  readonly render: RenderOptions;
}

type Refusal = Extract<Mirror, { readonly kind: "refused" }>;

/** How the driver's text for an absent file starts. */
const MISSING_FILE = "file matching objectName";

/** Asks the vault of a class for its objects and says what its Secrets should be. */
export async function mirrorFromVault(options: VaultMirrorOptions, provider: SecretProviderClass, signal: AbortSignal): Promise<Mirror> {
  const owner = `${provider.metadata.namespace ?? ""}/${provider.metadata.name}`;
  const opened = openProviderClass(provider.spec, { owner, cloudName: options.cloudName, readCloudFile: options.readCloudFile });
  if (opened.kind === "notOurs") return refused({ reason: "InvalidClass", message: `provider ${opened.provider} is not ours` });
  if (opened.kind === "invalid") return refused(asRefusal(opened.problem));
  // Before the objects, as the provider does: of two mistakes the same one is told.
  const identity = await findIdentity(options, { provider, mode: opened.identity }, signal);
  if (!identity.ok) return refused(identity.error);
  const parsed = opened.readObjects();
  if (!parsed.ok) return refused(asRefusal(parsed.error));
  const { address, objects, warnings } = parsed.value;
  const forbidden = vaultRefusal(options.limits, address);
  if (forbidden) return refused(asRefusal(forbidden));
  const client = options.vaults.clientFor(address, identity.value);
  const fetched = await fetchObjects({ client, render: options.render }, objects, signal);
  const outcomes = buildSecrets(provider.spec?.secretObjects ?? [], fetched.files, options.render.pki);
  const mirror = answer(provider, outcomes, fetched.failures);
  return mirror.kind === "answered" ? { ...mirror, warnings: warnings.map(({ field, message }) => `${field}: ${message}`) } : mirror;
}

function refused({ reason, message, retry = { kind: "never" } }: IdentityRefusal): Refusal {
  return { kind: "refused", reason, message, retry };
}

function asRefusal(problem: ClassProblem): IdentityRefusal {
  return { reason: problem.reason, message: describeProblem(problem) };
}

/** Where no object came, the one reason is the class's; else each Secret that needs a missing object says so itself. */
function answer(provider: SecretProviderClass, outcomes: readonly SecretOutcome[], failures: readonly ObjectFailure[]): Mirror {
  const secrets = outcomes.map((outcome, index) => mirrored(outcome, missingObject(provider.spec?.secretObjects?.[index], failures)));
  const [first] = failures;
  const isAnyDesired = secrets.some(({ kind }) => kind === "desired");
  if (first !== undefined && !isAnyDesired) return refused(first);
  return { kind: "answered", isFresh: first === undefined, retry: first?.retry ?? { kind: "backoff" }, secrets, warnings: [] };
}

/** The first object that the secretObject needs and the vault did not give. */
function missingObject(secretObject: SecretObject | undefined, failures: readonly ObjectFailure[]): ObjectFailure | undefined {
  const paths = (secretObject?.data ?? []).map(({ objectName }) => trimSpace(objectName ?? ""));
  return paths.map((path) => failureOfFile(failures, path)).find((failure) => failure !== undefined);
}

function mirrored(outcome: SecretOutcome, cause: ObjectFailure | undefined): MirroredSecret {
  if (outcome.kind === "refused") {
    const { name, problem } = outcome;
    // A file that is absent because the vault refused it: the refusal is the reason, not the absence.
    if (cause !== undefined && problem.message.startsWith(MISSING_FILE))
      return { kind: "failed", name, reason: cause.reason, message: cause.message };
    return { kind: "failed", name, reason: problem.reason, message: `${problem.message} (${problem.field}: ${problem.hint})` };
  }
  const { secret } = outcome;
  const keys = [...secret.sources].map(([key, file]) => ({
    key,
    object: file.objectId,
    version: file.version,
    ...(file.updated === undefined ? {} : { updated: timeOf(file.updated) }),
    ...(file.expires === undefined ? {} : { expires: timeOf(file.expires) }),
  }));
  return { kind: "desired", secret, keys };
}

function timeOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
